"""Finding the evidence for a question by words and by meaning: against one plain full-text query."""

from __future__ import annotations

import statistics

from benchmarks.harness import Bench, NotMeasurable, Target, percentile
from benchmarks.homes import require_set_up
from benchmarks.measurements.retrieval import ask_all, questions
from hexcore_engine.data.vectors import open_vectors, why_absent
from hexcore_engine.errors import HexcoreError
from hexcore_engine.settings import DataSettings

TARGETS = (
    Target("with vectors / one plain full-text query, medians", 6),
    Target("with vectors, p99", 60, "ms"),
)


def measure(bench: Bench) -> dict[str, float]:
    """Ask the training questions, each after a plain query of its words."""
    require_set_up(bench.prepared)
    absence = why_absent(bench.prepared, DataSettings())
    if absence is not None:
        raise NotMeasurable(absence.note)
    try:
        vectors = open_vectors(bench.prepared, DataSettings())
    except HexcoreError as error:
        raise NotMeasurable(f"{error.message} {error.remedy}") from error
    if vectors is None:
        raise NotMeasurable("the rules have no vectors yet: run `hexcore data vectors`")
    plain_ms, retrieval_ms = ask_all(bench, questions(bench), vectors)
    return {
        "with vectors / one plain full-text query, medians": (
            statistics.median(retrieval_ms) / statistics.median(plain_ms)
        ),
        "with vectors, p99": percentile(retrieval_ms, 99),
        "with vectors, median, ms": statistics.median(retrieval_ms),
        "one plain full-text query, median, ms": statistics.median(plain_ms),
    }
