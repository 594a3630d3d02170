"""What a change waits for before it can be kept: every linter and type check of `make check`, caches warm."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.harness import Bench, NotMeasurable, Target

TARGETS = (Target("make check, warm", 90, "s"),)
ROOT = Path(__file__).resolve().parents[2]


def measure(bench: Bench) -> dict[str, float]:
    """Run the checks once for their caches, then again by the clock."""
    missing = [name for name in ("ruff", "mypy", "mkdocs") if importlib.util.find_spec(name) is None]
    if missing:
        raise NotMeasurable(f"{', '.join(missing)} not installed here: the extra dev")
    steps = ("format", "sizes") if bench.quick else ()
    return {"make check, first time, s": check(*steps), "make check, warm": check(*steps)}


def check(*steps: str) -> float:
    """Return the seconds of some checks, by default of all; what they find ends the measurement."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "scripts/lint.py", *steps],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        found = [line for line in done.stdout.splitlines() if not line.startswith("ok")]
        raise RuntimeError("the checks found something: " + " ".join(found[:3]))
    return time.monotonic() - started
