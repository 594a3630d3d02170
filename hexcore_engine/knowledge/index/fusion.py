"""One ranking out of several (reciprocal-rank fusion; Cormack, Clarke and Büttcher 2009)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

RANK_OFFSET = 20.0
T = TypeVar("T", bound=Hashable)


def fuse(lists: Sequence[tuple[float, Sequence[T]]], offset: float = RANK_OFFSET) -> list[tuple[T, float]]:
    """Return (item, score), best first, from weighted lists of items in their order."""
    scores: dict[T, float] = {}
    for weight, items in lists:
        for rank, item in enumerate(items, start=1):
            scores[item] = scores.get(item, 0.0) + weight / (offset + rank)
    return sorted(scores.items(), key=lambda entry: -entry[1])
