"""A model folder as torch reads it: safetensors, config and tokenizer, checked without loading torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hexcore_engine.errors import ModelMissingError
from hexcore_engine.models.gguf import SMALL_MODEL_PARAMETERS
from hexcore_engine.models.safetensors_file import DamagedFileError, read_header
from hexcore_engine.protocol.records import ModelRecord
from hexcore_engine.utils.validation import clean_line

INDEX_NAME = "model.safetensors.index.json"
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model")
# Bytes of a quantised parameter once loaded, scales included.
_BYTES_PER_PARAMETER = {"4bit": 0.52, "8bit": 1.01}
# Measured: 20 MiB for 49,152 tokens.
_TABLE_BYTES_PER_TOKEN = 430
# Mixtures whose experts can be loaded one by one: an expert's gate, up and down weights in their files.
SEPARABLE_EXPERTS = {
    "mixtral": ("w1", "w3", "w2"),
    "olmoe": ("gate_proj", "up_proj", "down_proj"),
    "qwen3_moe": ("gate_proj", "up_proj", "down_proj"),
}
_NUMBERS = (
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "hidden_size",
    "intermediate_size",
    "head_dim",
    "vocab_size",
    "max_position_embeddings",
)
# What stays in 16 bits: by design, or because transformers fuses it into tensors bitsandbytes can't shrink.
_KEPT_WHOLE = ("embed", "lm_head", "norm", ".gate.weight")
_EXPERTS = ".experts."


@dataclass(frozen=True)
class TorchFolder:
    """What a model folder holds. Sizes in bytes, lengths in tokens."""

    folder: Path
    config: dict[str, Any]
    shards: tuple[Path, ...]
    num_parameters: int
    num_kept_whole: int = 0
    num_fused: int = 0

    def weights_bytes(self, quantization: str = "none", itemsize: int = 2) -> int:
        """Predicted bytes of the weights once loaded, those left whole in numbers of `itemsize` bytes;
        `num_fused` parameters stay whole whatever is asked."""
        if quantization == "none":
            return self.num_parameters * itemsize
        shrunk = self.num_parameters - self.num_kept_whole - self.num_fused
        return int(shrunk * _BYTES_PER_PARAMETER[quantization]) + self.whole_bytes(itemsize)

    def whole_bytes(self, itemsize: int = 2) -> int:
        """The part of quantised weights that stays in numbers of `itemsize` bytes: embeddings, norms, heads,
        and experts that can't be shrunk."""
        return (self.num_kept_whole + self.num_fused) * itemsize

    @property
    def context_tokens(self) -> int:
        """Tokens the model was trained to see at once."""
        return int(self.config.get("max_position_embeddings") or 4096)

    def kv_bytes_per_token(self, itemsize: int = 2) -> int:
        """Keys and values of one token over all layers, in numbers of `itemsize` bytes."""
        return self._number("num_hidden_layers") * self._kv_bytes_of_layer(itemsize)

    def step_bytes(self, num_tokens: int, itemsize: int = 2, context_tokens: int | None = None) -> int:
        """Scratch space of one step of `num_tokens`, with at most `context_tokens` before them: activations
        of one layer, how much each token sees of the others in one head (twice), the longer copy of keys and
        values while the cache grows, and one row of logits in 32 bits, a few times over."""
        hidden, inner = self._number("hidden_size"), self._number("intermediate_size")
        context = context_tokens or self.context_tokens
        activations = num_tokens * (8 * hidden + 3 * inner) * itemsize
        seen = 2 * num_tokens * context * itemsize
        growing = context * self._kv_bytes_of_layer(itemsize)
        return activations + seen + growing + 4 * 4 * self._number("vocab_size")

    @property
    def table_bytes(self) -> int:
        """What the tokenizer and the spelling of its tokens take in main memory."""
        return self._number("vocab_size") * _TABLE_BYTES_PER_TOKEN

    def _kv_bytes_of_layer(self, itemsize: int) -> int:
        heads = self._number("num_attention_heads") or 1
        width = self._number("head_dim") or self._number("hidden_size") // heads
        kv_heads = self._number("num_key_value_heads") or heads
        return 2 * itemsize * kv_heads * width

    def _number(self, name: str) -> int:
        return int(self.config.get(name) or 0)


def read_torch_folder(folder: Path) -> TorchFolder:
    """Read and check a model folder.

    Raises:
        ModelMissingError: when it is absent, holds pickles, misses a shard, a config or a tokenizer.
    """
    if not folder.is_dir():
        raise ModelMissingError(
            f"There is no model folder {clean_line(str(folder))}.",
            "Name a folder of safetensors, a .gguf file or an http(s) address; `hexcore models list` shows "
            "what is at hand.",
        )
    pickles = sorted(file.name for pattern in PICKLED for file in folder.glob(pattern))
    if pickles:
        raise _unusable(
            folder,
            f"it holds pickled weights ({clean_line(', '.join(pickles[:3]))}), which can run code when read",
            "Use a folder that holds safetensors alone.",
        )
    config = _read_json(folder, "config.json")
    if config.get("auto_map"):
        raise _unusable(folder, "it asks for code of its own", "Choose a model transformers knows by itself.")
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise _unusable(folder, f"it has no tokenizer ({' or '.join(_TOKENIZERS)})")
    _check_numbers(folder, config)
    shards = _shards(folder)
    sizes = [size for shard in shards for size in _parameter_counts(folder, shard)]
    fuses = config.get("model_type") not in SEPARABLE_EXPERTS
    return TorchFolder(
        folder,
        config,
        shards,
        sum(count for _, count in sizes),
        num_kept_whole=sum(count for name, count in sizes if any(part in name for part in _KEPT_WHOLE)),
        num_fused=sum(count for name, count in sizes if fuses and _EXPERTS in name),
    )


def describe_torch_folder(
    folder: Path, quantization: str | None = None, context_tokens: int | None = None
) -> ModelRecord:
    """Return the record of a model folder; weights are predicted for the quantization asked for."""
    found = read_torch_folder(folder)
    kind = quantization if quantization is not None and quantization in _BYTES_PER_PARAMETER else "none"
    return ModelRecord(
        name=clean_line(folder.name),
        location=str(folder),
        decoder="torch",
        quantization=None if kind == "none" else kind,
        weights_bytes=found.weights_bytes(kind),
        context_tokens=min(context_tokens or found.context_tokens, found.context_tokens),
        num_parameters=found.num_parameters,
        small=found.num_parameters < SMALL_MODEL_PARAMETERS,
    )


def _check_numbers(folder: Path, config: dict[str, Any]) -> None:
    """Refuse a configuration whose sizes are none: memory is planned with them."""
    for name in _NUMBERS:
        value = config.get(name)
        if value is not None and (type(value) is not int or value < 0):
            raise _unusable(folder, f"its config.json gives no whole number for {name}")


def _shards(folder: Path) -> tuple[Path, ...]:
    if (folder / INDEX_NAME).is_file():
        names = sorted(set(_read_json(folder, INDEX_NAME).get("weight_map", {}).values()))
    else:
        names = sorted(file.name for file in folder.glob("*.safetensors"))
    if not names:
        raise _unusable(folder, "it holds no safetensors")
    missing = [name for name in names if Path(name).name != name or not (folder / name).is_file()]
    if missing:
        raise _unusable(folder, f"the part {clean_line(str(missing[0]))} is missing")
    return tuple(folder / name for name in names)


def _parameter_counts(folder: Path, shard: Path) -> list[tuple[str, int]]:
    """Return name and size of each tensor from the header of a safetensors file; checks that it is whole."""
    try:
        return [(name, entry.num_parameters) for name, entry in read_header(shard).items()]
    except OSError as error:
        raise _unusable(folder, f"{shard.name} can't be read: {error.strerror}") from error
    except DamagedFileError as error:
        raise _unusable(folder, f"{clean_line(shard.name)} is cut short or not a safetensors file") from error


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    try:
        value = json.loads((folder / name).read_text("utf-8"))
    except FileNotFoundError:
        raise _unusable(folder, f"it has no {name}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(folder, f"its {name} can't be read") from error
    if not isinstance(value, dict):
        raise _unusable(folder, f"its {name} is no object")
    return value


def _unusable(folder: Path, why: str, remedy: str | None = None) -> ModelMissingError:
    return ModelMissingError(
        f"The model folder {clean_line(str(folder))} can't be used: {why}.",
        remedy or "Fetch the model again, or choose another with `hexcore models use`.",
    )


def hide_progress_bars() -> None:
    """Keep transformers from drawing bars of its own; what takes long here says so itself."""
    from transformers.utils import logging

    logging.disable_progress_bar()
