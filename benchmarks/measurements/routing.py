"""Choosing a question's mode: how long it takes, warm, the first time and for a very long question."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from benchmarks.harness import Bench, Target, percentile
from hexcore_engine.models.router import TransactionClassifier
from hexcore_engine.training.router import ROUTER_DATA_FILE, read_queries

TARGETS = (Target("routing a question, p99", 10, "ms"),)
LONG_QUESTION = "He attacks with a 3/3 and I block with my deathtoucher. " * 2_000


def measure(bench: Bench) -> dict[str, float]:
    """Route the training queries one by one."""
    questions = [query.question for query in read_queries(ROUTER_DATA_FILE)]
    classifier = TransactionClassifier()
    first_ms = route_all(classifier, questions[:1])
    warm_ms = route_all(classifier, questions * bench.rounds(3, quick=1))
    long_ms = route_all(classifier, [LONG_QUESTION] * bench.rounds(20))
    return {
        "routing a question, p99": percentile(warm_ms, 99),
        "routing a question, median, ms": statistics.median(warm_ms),
        "the first question, weights loaded, ms": first_ms[0],
        f"a question of {len(LONG_QUESTION):,} characters, median, ms": statistics.median(long_ms),
    }


def route_all(classifier: TransactionClassifier, questions: Sequence[str]) -> list[float]:
    """Return how long each question took, ms."""
    times = []
    for question in questions:
        started = time.perf_counter()
        classifier.classify(question)
        times.append((time.perf_counter() - started) * 1000)
    return times
