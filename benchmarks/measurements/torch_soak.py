"""What 200 short answers of the torch decoder in a row leave behind: memory at their end against memory after
the first of them.

Once with 200 different questions, once with 20 that come again and again: what grows with the first alone is
kept for each new length of a step, and bounded by the number of lengths.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.harness import Bench, NotMeasurable, Target
from benchmarks.torch_models import converted_folder

LIMIT_S = 3600.0
NUM_ANSWERS, WARM_UP = 200, 60
QUICK_ANSWERS, QUICK_WARM_UP = 24, 4
# The middle one of so many looks at either end is taken.
ENDS = 7
MIB = 2**20
WAYS = {"200 different questions": NUM_ANSWERS, "20 questions again and again": 20}

TARGETS = tuple(Target(f"{way}, memory at the end / warmed up", 1.02) for way in WAYS)


def measure(bench: Bench) -> dict[str, float]:
    """Answer in a process of its own, which weighs itself."""
    if not Path("/proc/self/smaps").exists():
        raise NotMeasurable("private bytes are read from /proc, which only Linux has")
    folder = converted_folder(bench)
    figures: dict[str, float] = {}
    for way, num_different in WAYS.items():
        held = _soak(bench, folder, num_different)
        ends = min(ENDS, len(held) // 2)
        before, after = statistics.median(held[:ends]), statistics.median(held[-ends:])
        figures |= {
            f"{way}, memory at the end / warmed up": after / before,
            f"{way}, after the warm-up, MiB": before / MIB,
            f"{way}, at the end, MiB": after / MIB,
        }
    return figures


def _soak(bench: Bench, folder: Path, num_different: int) -> list[int]:
    """Return the bytes held at each look."""
    answers, warm_up = (QUICK_ANSWERS, QUICK_WARM_UP) if bench.quick else (NUM_ANSWERS, WARM_UP)
    numbers = map(str, (answers, warm_up, num_different))
    command = [sys.executable, "-m", "tests.torture.torch_soaking", str(folder), *numbers]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [held for held, _, _ in json.loads(done.stdout)["samples"]]
