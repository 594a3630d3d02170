"""Reading the header of a GGUF file: what the model is, how large, and whether the file is whole.

Format: the GGUF specification, versions 2 and 3, little-endian.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from hexcore_engine.errors import ModelMissingError
from hexcore_engine.protocol.records import ModelRecord
from hexcore_engine.utils.validation import clean_line

_SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_STRING, _ARRAY = 8, 9
# What reading nonsense as a header raises.
_MALFORMED = (struct.error, KeyError, ValueError, TypeError, ArithmeticError, RecursionError)
MAX_SCALARS = 4096
MAX_DIMENSIONS = 4
MAX_ITEMS = 16_000_000
_MAX_STRING_BYTES = 64 * 1024 * 1024
# Name of the file type under "general.file_type"; the numbers are the format's own.
_FILE_TYPES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    14: "Q4_K_S",
    15: "Q4_K_M",
}
_FILE_TYPES |= {16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 32: "BF16"}
# Type of a tensor -> (values in a block, bytes of a block); one that is not listed counts nothing.
_TENSOR_TYPES = {
    **{0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36)},
    **{10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292)},
    **{16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110)},
    **{22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8)},
    **{29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17)},
}
DEFAULT_ALIGNMENT = 32
# Below this many parameters a model can phrase and quote but not judge; its text is labelled a draft.
SMALL_MODEL_PARAMETERS = 3_000_000_000
KV_BYTES_PER_NUMBER = 2  # the cache is kept in 16 bits


@dataclass(frozen=True)
class GgufHeader:
    """What the header says. Sizes in bytes; `context_tokens` is the length the model was trained for."""

    name: str
    architecture: str
    quantization: str | None
    context_tokens: int
    num_layers: int
    kv_width: int
    num_parameters: int
    file_bytes: int

    def kv_cache_bytes(self, context_tokens: int) -> int:
        """Keys and values of every layer for a context of that many tokens."""
        return 2 * self.num_layers * self.kv_width * KV_BYTES_PER_NUMBER * context_tokens


def read_gguf_header(file: Path) -> GgufHeader:
    """Read and check a model file.

    Raises:
        ModelMissingError: when it is absent, unreadable, not a GGUF, or shorter than its tensors say.
    """
    try:
        with file.open("rb") as stream:
            return _read(stream, file)
    except FileNotFoundError:
        raise ModelMissingError(
            f"There is no model file {file}.",
            "Run `hexcore setup`, or choose a model with `hexcore models use`.",
        ) from None
    except OSError as error:
        raise ModelMissingError(f"The model file {file} can't be read: {error.strerror}.") from error
    except _MALFORMED as error:
        raise _damaged(file, "its header ends early or makes no sense") from error


def describe_gguf(
    file: Path, header: GgufHeader | None = None, context_tokens: int | None = None
) -> ModelRecord:
    """Return the record of a GGUF file, reading its header where it is not given."""
    header = header or read_gguf_header(file)
    return ModelRecord(
        name=clean_line(file.stem),
        location=str(file),
        decoder="llama_cpp",
        quantization=header.quantization,
        weights_bytes=header.file_bytes,
        context_tokens=context_tokens or header.context_tokens,
        num_parameters=header.num_parameters,
        small=header.num_parameters < SMALL_MODEL_PARAMETERS,
    )


def _damaged(file: Path, why: str) -> ModelMissingError:
    return ModelMissingError(
        f"The model file {file} is damaged: {why}.",
        "Fetch it again: delete it and run `hexcore setup`, or choose another with `hexcore models use`.",
    )


def _read(stream: BinaryIO, file: Path) -> GgufHeader:
    magic = stream.read(4)
    if magic != b"GGUF":
        raise _damaged(file, "it is not a GGUF file")
    version, num_tensors, num_values = struct.unpack("<IQQ", stream.read(20))
    if version not in (2, 3) or num_tensors > 1_000_000 or num_values > 100_000:
        raise _damaged(file, f"GGUF version {version} is not one this program reads")
    values = {_string(stream): _value(stream) for _ in range(num_values)}
    num_parameters, data_bytes = 0, 0
    for _ in range(num_tensors):
        size, kind, offset = _tensor(stream)
        num_parameters += size
        block, block_bytes = _TENSOR_TYPES.get(kind, (1, 0))
        data_bytes = max(data_bytes, offset + size // block * block_bytes)
    alignment = int(values.get("general.alignment", DEFAULT_ALIGNMENT))
    needed = -(-stream.tell() // alignment) * alignment + data_bytes
    file_bytes = file.stat().st_size
    if file_bytes < needed:
        raise _damaged(file, f"it holds {file_bytes:,} bytes; its tensors need {needed:,}")
    return _header(values, num_parameters, file_bytes)


def _tensor(stream: BinaryIO) -> tuple[int, int, int]:
    """Return a tensor's number of values, its type, and where it begins in the data."""
    _string(stream)
    (num_dimensions,) = struct.unpack("<I", stream.read(4))
    if num_dimensions > MAX_DIMENSIONS:
        raise ValueError("a tensor has more dimensions than the format knows")
    dimensions = struct.unpack(f"<{num_dimensions}Q", stream.read(8 * num_dimensions))
    kind, offset = struct.unpack("<IQ", stream.read(12))
    return math.prod(dimensions), kind, offset


def _header(values: dict[str, Any], num_parameters: int, file_bytes: int) -> GgufHeader:
    architecture = str(values["general.architecture"])
    heads = int(values[f"{architecture}.attention.head_count"])
    kv_heads = values.get(f"{architecture}.attention.head_count_kv", heads)
    kv_heads = max(kv_heads) if isinstance(kv_heads, list) else int(kv_heads)
    embedding = int(values[f"{architecture}.embedding_length"])
    head_width = int(values.get(f"{architecture}.attention.key_length", embedding // heads))
    return GgufHeader(
        name=str(values.get("general.name", "")),
        architecture=architecture,
        quantization=_FILE_TYPES.get(values.get("general.file_type", -1)),
        context_tokens=int(values.get(f"{architecture}.context_length", 0)),
        num_layers=int(values[f"{architecture}.block_count"]),
        kv_width=kv_heads * head_width,
        num_parameters=num_parameters,
        file_bytes=file_bytes,
    )


def _string(stream: BinaryIO) -> str:
    (size,) = struct.unpack("<Q", stream.read(8))
    if size > _MAX_STRING_BYTES:
        raise ValueError("a string is longer than any header's")
    return stream.read(size).decode("utf-8", "replace")


def _value(stream: BinaryIO) -> Any:
    (kind,) = struct.unpack("<I", stream.read(4))
    return _typed(stream, kind)


def _typed(stream: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _string(stream)
    if kind == _ARRAY:
        item_kind, size = struct.unpack("<IQ", stream.read(12))
        if size > MAX_ITEMS:
            raise ValueError("a list is longer than any vocabulary")
        if item_kind in _SCALARS:
            form = _SCALARS[item_kind]
            data = stream.read(struct.calcsize(form) * size)
            # Vocabulary scores are long and of no use here.
            return [] if size > MAX_SCALARS else list(struct.unpack(f"<{size}{form[1]}", data))
        return [_typed(stream, item_kind) for _ in range(size)]
    form = _SCALARS[kind]
    return struct.unpack(form, stream.read(struct.calcsize(form)))[0]
