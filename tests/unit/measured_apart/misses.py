"""One that misses its target in its first run and meets it in the next."""

from __future__ import annotations

from benchmarks.harness import Bench, Target

TARGETS = (Target("wait", 20, "ms"),)


def measure(bench: Bench) -> dict[str, float]:
    """Take long once."""
    seen = bench.prepared.home / "measured-before"
    waited = 9.0 if seen.exists() else 30.0
    seen.touch()
    return {"wait": waited}
