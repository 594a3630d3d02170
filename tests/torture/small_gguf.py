"""A GGUF file of a few hundred bytes with every kind of value its readers know."""

from __future__ import annotations

import struct
from pathlib import Path

STRING, ARRAY, UINT32, FLOAT32, BOOL = 8, 9, 4, 6, 7


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _value(name: str, kind: int, content: bytes) -> bytes:
    return _text(name) + struct.pack("<I", kind) + content


def write_small_gguf(file: Path) -> Path:
    """Write it and return its path."""
    values = [
        _value("general.architecture", STRING, _text("llama")),
        _value("general.name", STRING, _text("Pebble")),
        _value("general.file_type", UINT32, struct.pack("<I", 0)),
        _value("llama.context_length", UINT32, struct.pack("<I", 512)),
        _value("llama.block_count", UINT32, struct.pack("<I", 2)),
        _value("llama.embedding_length", UINT32, struct.pack("<I", 16)),
        _value("llama.attention.head_count", UINT32, struct.pack("<I", 2)),
        _value("llama.attention.head_count_kv", ARRAY, struct.pack("<IQ2I", UINT32, 2, 1, 1)),
        _value("llama.rope.scale", FLOAT32, struct.pack("<f", 1.0)),
        _value("tokenizer.add_bos", BOOL, b"\x01"),
        _value("tokenizer.tokens", ARRAY, struct.pack("<IQ", STRING, 2) + _text("lamp") + _text("moss")),
    ]
    tensor = _text("token_embd.weight") + struct.pack("<I2QIQ", 2, 16, 4, 0, 0)
    header = b"GGUF" + struct.pack("<IQQ", 3, 1, len(values)) + b"".join(values) + tensor
    padding = bytes(-len(header) % 32)
    file.write_bytes(header + padding + bytes(16 * 4 * 4))
    return file
