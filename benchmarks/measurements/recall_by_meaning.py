"""How many of the deciding rules are found by words and meaning: the questions of `recall`, with vectors."""

from __future__ import annotations

from benchmarks.harness import Bench, Target
from benchmarks.homes import require_set_up, require_vectors
from benchmarks.measurements.recall import development, held_out

HELD_OUT = (
    Target("training questions by topic, recall@20", 0.83, at_least=True),
    Target("training questions by topic, recall@5", 0.62, at_least=True),
)
DEVELOPMENT = (
    Target("development questions, recall@20", 0.87, at_least=True),
    Target("development questions, recall@5", 0.72, at_least=True),
)
TARGETS = (*HELD_OUT, *DEVELOPMENT)


def measure(bench: Bench) -> dict[str, float]:
    """Ask both sets with vectors."""
    require_set_up(bench.prepared)
    vectors = require_vectors(bench.prepared)
    return held_out(bench, HELD_OUT, vectors) | development(bench, DEVELOPMENT, vectors)
