"""Cards while typing: from a key to the updated list over all cards, in the app on a real terminal.

The clock starts when the key is written to the terminal. A heartbeat of 1 ms tells how long the app's event
loop was held meanwhile.
"""

from __future__ import annotations

import math
import random
import statistics
import string
import time
from bisect import bisect_left
from collections.abc import Iterator

from benchmarks.harness import Bench, Target, percentile
from benchmarks.homes import warm_home
from benchmarks.probed import ProbedApp, Window, probed_app
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.paths import Paths

TARGETS = (
    Target("key to updated list, p99", 16, "ms"),
    Target("event loop held, longest", 16, "ms"),
)
CARDS_KEY = "\x1bOR"
CLEAR_KEY = "\x15"
KEY_PAUSE_S = 0.07
LETTERS_TYPED = 9


def measure(bench: Bench) -> dict[str, float]:
    """Type the beginnings of names, one after the other."""
    with warm_home(bench, "home") as paths:
        names = some_names(paths, bench.rounds(40))
        with probed_app(paths, 1) as app:
            # The engine starts and loads the model after the first frame.
            app.watch(bench.settling_s)
            idle = app.watch(1.0)
            app.terminal.send(CARDS_KEY)
            app.terminal.wait_for("Name of a card")
            app.watch(1.0)
            keys = list(type_names(app, names))
        window: Window = (keys[0][0], keys[-1][0] + KEY_PAUSE_S)
    listed = [latency(at, [time_ for time_, seen in app.lists if seen == words]) for at, words in keys]
    painted = [
        latency(at, app.paints, after_ms) for (at, _), after_ms in zip(keys, listed, strict=True) if after_ms
    ]
    held = app.lateness([window])
    return {
        "key to updated list, p99": percentile(listed, 99),
        "event loop held, longest": max(held),
        "key to updated list, median, ms": statistics.median(listed),
        "key to painted list, median, ms": statistics.median(painted),
        "key to painted list, p99, ms": percentile(painted, 99),
        "event loop held, longest of its own work, ms": max(app.computing([window])),
        "event loop held, p99, ms": percentile(held, 99),
        "event loop held while idle, longest, ms": max(app.lateness([idle])),
        "keys": len(keys),
    }


def some_names(paths: Paths, count: int) -> list[str]:
    """Return names of cards, the same for the same cards."""
    chance = random.Random(7)
    knowledge = Knowledge(paths.knowledge_dir)
    names: list[str] = []
    while len(names) < count:
        beginning = chance.choice(string.ascii_lowercase) + chance.choice("aeiou")
        hits = [hit.name for hit in knowledge.complete_names(beginning, limit=100) if hit.name.isascii()]
        names += [chance.choice(hits)] if hits else []
    knowledge.close()
    return names


def type_names(app: ProbedApp, names: list[str]) -> Iterator[tuple[float, str]]:
    """Type each name letter by letter; yield the time of each key and the words in the field after it.

    A blank changes no words, so there is no list to wait for."""
    for name in names:
        typed, before = "", ""
        for letter in name.lower()[:LETTERS_TYPED]:
            typed += letter
            at = time.monotonic()
            app.terminal.send(letter)
            app.watch(KEY_PAUSE_S)
            words = " ".join(typed.split())
            if words != before:
                yield at, words
            before = words
        app.terminal.send(CLEAR_KEY)
        app.watch(KEY_PAUSE_S)


def latency(at: float, times: list[float], after_ms: float = 0.0) -> float:
    """Return the ms from `at` until the first of `times` that is later by `after_ms`; infinite if none is."""
    index = bisect_left(times, at + after_ms / 1000)
    return (times[index] - at) * 1000 if index < len(times) else math.inf
