"""One that lacks something."""

from __future__ import annotations

from benchmarks.harness import Bench, NotMeasurable, Target

TARGETS = (Target("wait", 20, "ms"),)


def measure(bench: Bench) -> dict[str, float]:
    """Say what is lacking."""
    raise NotMeasurable("there is no moss here")
