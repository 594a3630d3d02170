"""Adapters of a few kilobytes with random weights, made in the test itself, without torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy

from hexcore_engine.models.adapter_files import MANIFEST_NAME, WEIGHTS_NAME
from hexcore_engine.models.fingerprint import weights_fingerprint
from hexcore_engine.models.torch_folder import read_torch_folder

TARGETS = ("q_proj", "v_proj")


def make_adapter(
    folder: Path,
    base: Path,
    mode: str = "REASON",
    *,
    invocation: tuple[int, ...] = (),
    seed: int = 0,
    rank: int = 4,
    size: float = 0.3,
    module: str = "self_attn",
    targets: tuple[str, ...] = TARGETS,
    **changes: Any,
) -> Path:
    """Write an adapter for the model in `base`, an activated one where it has an `invocation`; `size` is the
    spread of its weights, `changes` go into the manifest."""
    found = read_torch_folder(base)
    numbers = numpy.random.default_rng(seed)
    tensors = {}
    for layer in range(found.config["num_hidden_layers"]):
        for target in targets:
            name = f"base_model.model.model.layers.{layer}.{module}.{target}"
            width_in, width_out = widths(found.config, target)
            tensors[f"{name}.lora_A.weight"] = numbers.normal(size=(rank, width_in)) * size
            tensors[f"{name}.lora_B.weight"] = numbers.normal(size=(width_out, rank)) * size
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / WEIGHTS_NAME, tensors)
    fields = {
        "mode": mode,
        "kind": "alora" if invocation else "lora",
        "base_model_hash": weights_fingerprint(found.shards),
        "rank": rank,
        "alpha": rank,
        "target_modules": list(targets),
        "invocation_tokens": list(invocation),
    }
    write_manifest(folder, **(fields | changes))
    return folder


def write_manifest(folder: Path, **fields: Any) -> None:
    """Write a manifest for the weights that lie there."""
    digest = hashlib.sha256((folder / WEIGHTS_NAME).read_bytes()).hexdigest()
    (folder / MANIFEST_NAME).write_text(json.dumps({"format": 1, "sha256": digest} | fields))


def change_manifest(folder: Path, **fields: Any) -> None:
    """Change fields of a manifest, and leave the others."""
    written = json.loads((folder / MANIFEST_NAME).read_text())
    (folder / MANIFEST_NAME).write_text(json.dumps(written | fields))


def rehash(folder: Path) -> None:
    """Make the manifest fit weights that were changed."""
    digest = hashlib.sha256((folder / WEIGHTS_NAME).read_bytes()).hexdigest()
    change_manifest(folder, sha256=digest)


def write_safetensors(file: Path, tensors: dict[str, Any]) -> None:
    """Write tensors in 32 bits."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        content = numpy.ascontiguousarray(tensor, dtype="<f4").tobytes()
        offsets = [len(data), len(data) + len(content)]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": offsets}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(len(text).to_bytes(8, "little") + text + data)


def widths(config: dict[str, Any], target: str) -> tuple[int, int]:
    """Numbers into and out of a projection of a Llama-shaped model."""
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    head = config.get("head_dim") or hidden // heads
    if target == "o_proj":
        return heads * head, hidden
    if target in ("gate_proj", "up_proj"):
        return hidden, config["intermediate_size"]
    return hidden, head * (heads if target == "q_proj" else config.get("num_key_value_heads", heads))
