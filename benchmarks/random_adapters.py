"""Adapters with random weights for a model folder, written without torch: speed needs no sense in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy

from hexcore_engine.models.adapter_files import MANIFEST_NAME, WEIGHTS_NAME
from hexcore_engine.models.fingerprint import weights_fingerprint
from hexcore_engine.models.torch_folder import read_torch_folder

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj")


def write_random_adapter(
    folder: Path,
    base: Path,
    mode: str,
    *,
    invocation: tuple[int, ...] = (),
    seed: int = 0,
    rank: int = 8,
    size: float = 0.05,
    module: str = "self_attn",
    targets: tuple[str, ...] = TARGETS,
    **changes: Any,
) -> Path:
    """Write an adapter for the Llama-shaped model in `base`, an activated one where it has an `invocation`;
    `size` is the spread of its weights, `changes` go into the manifest."""
    found = read_torch_folder(base)
    numbers = numpy.random.default_rng(seed)
    tensors = {}
    for layer in range(found.config["num_hidden_layers"]):
        for target in targets:
            name = f"base_model.model.model.layers.{layer}.{module}.{target}"
            width_in, width_out = _widths(found.config, target)
            tensors[f"{name}.lora_A.weight"] = numbers.normal(size=(rank, width_in)) * size
            tensors[f"{name}.lora_B.weight"] = numbers.normal(size=(width_out, rank)) * size
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / WEIGHTS_NAME, tensors)
    manifest = {
        "format": 1,
        "mode": mode,
        "kind": "alora" if invocation else "lora",
        "base_model_hash": weights_fingerprint(found.shards),
        "rank": rank,
        "alpha": rank,
        "target_modules": targets,
        "sha256": hashlib.sha256((folder / WEIGHTS_NAME).read_bytes()).hexdigest(),
        "invocation_tokens": invocation,
    }
    (folder / MANIFEST_NAME).write_bytes(msgspec.json.encode(manifest | changes))
    return folder


def write_safetensors(file: Path, tensors: Mapping[str, Any]) -> None:
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


def _widths(config: dict[str, Any], target: str) -> tuple[int, int]:
    """Numbers into and out of a projection."""
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    head = config.get("head_dim") or hidden // heads
    if target == "o_proj":
        return heads * head, hidden
    if target in ("gate_proj", "up_proj"):
        return hidden, config["intermediate_size"]
    return hidden, head * (heads if target == "q_proj" else config.get("num_key_value_heads", heads))
