"""Telling models apart by their weights: what an adapter says it was trained for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from hexcore_engine.models.safetensors_file import TensorEntry, read_header

# Bytes looked at in each of three places of a tensor: training changes all of them, and a model of 90 GB is
# told apart as quickly as a small one.
_PIECE_BYTES = 1024


def weights_fingerprint(shards: Sequence[Path]) -> str:
    """Return a hash of the weights in these safetensors files, the same however they are split into shards.

    Raises:
        ValueError: when a file is damaged.
        OSError: when one can't be read.
    """
    places = {name: (shard, entry) for shard in shards for name, entry in read_header(shard).items()}
    digest = hashlib.sha256()
    for name, (shard, entry) in sorted(places.items()):
        digest.update(json.dumps([name, entry.dtype, list(entry.shape)]).encode())
        digest.update(_pieces(shard, entry))
    return digest.hexdigest()


def _pieces(shard: Path, entry: TensorEntry) -> bytes:
    size = entry.end - entry.begin
    places = (0, max(0, size // 2 - _PIECE_BYTES), max(0, size - _PIECE_BYTES))
    with shard.open("rb") as stream:
        found = []
        for place in places:
            stream.seek(entry.begin + place)
            found.append(stream.read(min(_PIECE_BYTES, size)))
    return b"".join(found)
