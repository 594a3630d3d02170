"""One that breaks."""

from __future__ import annotations

from benchmarks.harness import Bench, Target

TARGETS = (Target("wait", 20, "ms"),)


def measure(bench: Bench) -> dict[str, float]:
    """Break."""
    raise ValueError("the lantern\nwent out")
