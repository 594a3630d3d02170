"""Adapters of a few kilobytes with random weights, made for a model folder in the test itself."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from hexcore_engine.models.adapter_files import MANIFEST_NAME, WEIGHTS_NAME
from hexcore_engine.models.fingerprint import weights_fingerprint
from hexcore_engine.models.torch_folder import read_torch_folder

TARGETS = ("q_proj", "v_proj")


def make_adapter(
    folder: Path,
    base: Path,
    mode: str = "REASON",
    *,
    kind: str = "lora",
    invocation: tuple[int, ...] = (),
    seed: int = 0,
    rank: int = 4,
    size: float = 0.5,
    module: str = "self_attn",
    targets: tuple[str, ...] = TARGETS,
    **changes: Any,
) -> Path:
    """Write an adapter for the model in `base`; `size` is the spread of its weights, `changes` go into the
    manifest."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    found = read_torch_folder(base)
    config = found.config
    torch.manual_seed(seed)
    tensors = {}
    for layer in range(config["num_hidden_layers"]):
        for target in targets:
            name = f"base_model.model.model.layers.{layer}.{module}.{target}"
            width_in, width_out = widths(config, target)
            tensors[f"{name}.lora_A.weight"] = torch.randn(rank, width_in) * size
            tensors[f"{name}.lora_B.weight"] = torch.randn(width_out, rank) * size
    save_file(tensors, str(folder / WEIGHTS_NAME))
    write_manifest(
        folder,
        mode=mode,
        kind=kind,
        base_model_hash=weights_fingerprint(found.shards),
        rank=rank,
        alpha=rank,
        target_modules=list(targets),
        invocation_tokens=list(invocation),
        **changes,
    )
    return folder


def write_manifest(folder: Path, **fields: Any) -> None:
    """Write a manifest for the weights that lie there."""
    digest = hashlib.sha256((folder / WEIGHTS_NAME).read_bytes()).hexdigest()
    (folder / MANIFEST_NAME).write_text(json.dumps({"format": 1, "sha256": digest} | fields))


def change_manifest(folder: Path, **fields: Any) -> None:
    """Change fields of a manifest, and leave the others."""
    written = json.loads((folder / MANIFEST_NAME).read_text())
    (folder / MANIFEST_NAME).write_text(json.dumps(written | fields))


def widths(config: dict[str, Any], target: str) -> tuple[int, int]:
    """Numbers into and out of a projection of a Llama-shaped model."""
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    head = config.get("head_dim") or hidden // heads
    out = {"q_proj": heads * head, "o_proj": hidden}.get(target, config["num_key_value_heads"] * head)
    if target in ("gate_proj", "up_proj"):
        out = config["intermediate_size"]
    return (heads * head if target == "o_proj" else hidden), out
