"""One ranking out of several (reciprocal-rank fusion; Cormack, Clarke and Büttcher 2009)."""

from __future__ import annotations

from collections.abc import Sequence

RANK_OFFSET = 20.0


def fuse(
    lists: Sequence[tuple[float, Sequence[str]]], offset: float = RANK_OFFSET
) -> list[tuple[str, float]]:
    """Return (item, score), best first, from weighted lists of items in their order."""
    scores: dict[str, float] = {}
    for weight, items in lists:
        for rank, item in enumerate(items, start=1):
            scores[item] = scores.get(item, 0.0) + weight / (offset + rank)
    return sorted(scores.items(), key=lambda entry: -entry[1])
