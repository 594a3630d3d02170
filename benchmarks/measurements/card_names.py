"""Names of cards while typing: the look-up of each beginning, against a scan of all names already folded."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial

from benchmarks.harness import Bench, Target, percentile
from benchmarks.homes import require_set_up
from hexcore_engine.knowledge.cards.names import name_key
from hexcore_engine.knowledge.lookup import Knowledge

TARGETS = (
    Target("completing / scanning, medians", 0.5),
    Target("completing, p99", 5, "ms"),
)
LIMIT = 100
MOST_CARDS = 100_000
LETTERS_TYPED = 9


def measure(bench: Bench) -> dict[str, float]:
    """Type the beginnings of names, each found by both ways in turn."""
    require_set_up(bench.prepared)
    knowledge = Knowledge(bench.prepared.knowledge_dir)
    try:
        names = [hit.name for hit in knowledge.search_cards("mv>=0 include:extras", MOST_CARDS).hits]
        keys = [name_key(name) for name in names]
        typed = beginnings(random.Random(7).sample(names, bench.rounds(60, quick=5)))
        completing, scanning = [], []
        for words in (typed[0], *typed):
            completing.append(time_of(partial(knowledge.complete_names, words, LIMIT)))
            scanning.append(time_of(partial(scan, keys, words)))
    finally:
        knowledge.close()
    # The first of both warms up.
    completing, scanning = completing[1:], scanning[1:]
    return {
        "completing / scanning, medians": statistics.median(completing) / statistics.median(scanning),
        "completing, p99": percentile(completing, 99),
        "completing, median, ms": statistics.median(completing),
        "scanning, median, ms": statistics.median(scanning),
        "names": len(names),
        "beginnings": len(typed),
    }


def beginnings(names: Sequence[str]) -> list[str]:
    """Return each name letter by letter, as it is typed."""
    return [name[:end] for name in names for end in range(1, min(len(name), LETTERS_TYPED) + 1)]


def scan(keys: Sequence[str], words: str) -> list[int]:
    """Return the places of the first names that hold the words, without any index."""
    wanted = name_key(words)
    begin = [place for place, key in enumerate(keys) if key.startswith(wanted)]
    return (begin + [place for place, key in enumerate(keys) if wanted in key])[:LIMIT]


def time_of(look_up: Callable[[], object]) -> float:
    """Return how long it took, ms."""
    started = time.perf_counter()
    look_up()
    return (time.perf_counter() - started) * 1000
