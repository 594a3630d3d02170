"""Finding the evidence for a question by words and by meaning: against one plain full-text query."""

from __future__ import annotations

import statistics

from benchmarks.harness import Bench, Target, percentile
from benchmarks.homes import require_set_up, require_vectors
from benchmarks.measurements.retrieval import ask_all, questions

TARGETS = (
    Target("with vectors / one plain full-text query, medians", 6),
    Target("with vectors, p99", 60, "ms"),
)


def measure(bench: Bench) -> dict[str, float]:
    """Ask the training questions, each after a plain query of its words."""
    require_set_up(bench.prepared)
    vectors = require_vectors(bench.prepared)
    plain_ms, retrieval_ms = ask_all(bench, questions(bench), vectors)
    return {
        "with vectors / one plain full-text query, medians": (
            statistics.median(retrieval_ms) / statistics.median(plain_ms)
        ),
        "with vectors, p99": percentile(retrieval_ms, 99),
        "with vectors, median, ms": statistics.median(retrieval_ms),
        "one plain full-text query, median, ms": statistics.median(plain_ms),
    }
