"""One whose process ends without a word."""

from __future__ import annotations

import os

from benchmarks.harness import Bench, Target

TARGETS = (Target("wait", 20, "ms"),)


def measure(bench: Bench) -> dict[str, float]:
    """End."""
    os._exit(9)
