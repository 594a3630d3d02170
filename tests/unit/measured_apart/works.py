"""One that works and keeps a file of its own."""

from __future__ import annotations

import math

from benchmarks.harness import Bench, Target

TARGETS = (Target("wait", 20, "ms"),)


def measure(bench: Bench) -> dict[str, float]:
    """Give figures, one of them no number."""
    (bench.work / "kept").write_text("moss", "utf-8")
    return {"wait": 3.0, "lost": math.nan, "prepared is there": float(bench.prepared.home.is_dir())}
