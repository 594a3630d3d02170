"""Reading safetensors files without torch: the header, pieces of tensors, and whether their numbers are
finite."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MAX_HEADER_BYTES = 100 * 1024 * 1024
# Bytes of each kind of float and its exponent's bits; all of those set is infinite or no number.
_EXPONENTS = {
    "F64": (8, 0x7FF0000000000000),
    "F32": (4, 0x7F800000),
    "F16": (2, 0x7C00),
    "BF16": (2, 0x7F80),
}
FLOAT_DTYPES = tuple(_EXPONENTS)


class DamagedFileError(ValueError):
    """A file is cut short or no safetensors file; the text says which."""


@dataclass(frozen=True)
class TensorEntry:
    """One tensor of a file: `begin` and `end` are byte offsets from the start of the file."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def num_parameters(self) -> int:
        """Numbers in it."""
        return math.prod(self.shape)


def read_header(file: Path) -> dict[str, TensorEntry]:
    """Return the tensors of a file by name.

    Raises:
        DamagedFileError: when the file is cut short or is none of its kind.
        OSError: when it can't be read.
    """
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= _MAX_HEADER_BYTES:
                raise DamagedFileError("no safetensors header")
            header = json.loads(stream.read(length))
        entries = {
            str(name): _entry(value, 8 + length) for name, value in header.items() if name != "__metadata__"
        }
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise DamagedFileError("no safetensors header") from error
    end = max((entry.end for entry in entries.values()), default=8 + length)
    if file.stat().st_size != end:
        raise DamagedFileError(f"{file.stat().st_size:,} bytes instead of {end:,}")
    return entries


def is_finite(file: Path, entry: TensorEntry) -> bool:
    """Whether every number of a floating-point tensor is one, and there are as many as its shape says."""
    import numpy

    size, mask = _EXPONENTS[entry.dtype]
    if entry.end - entry.begin != entry.num_parameters * size:
        return False
    with file.open("rb") as stream:
        stream.seek(entry.begin)
        bits = numpy.frombuffer(stream.read(entry.end - entry.begin), dtype=f"<u{size}")
    return not bool(((bits & mask) == mask).any())


def _entry(value: dict[str, Any], data_begin: int) -> TensorEntry:
    begin, end = value["data_offsets"]
    shape = tuple(int(size) for size in value["shape"])
    return TensorEntry(str(value["dtype"]), shape, data_begin + int(begin), data_begin + int(end))
