"""What 200 short answers of the torch decoder to different questions leave behind: memory at their end
against memory after the first of them."""

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
# The middle one of so many looks at either end is taken: twice each turn of a conversation.
ENDS = 8
MIB = 2**20

TARGETS = (Target("memory at the end / warmed up", 1.02),)


def measure(bench: Bench) -> dict[str, float]:
    """Answer in a process of its own, which weighs itself."""
    if not Path("/proc/self/smaps").exists():
        raise NotMeasurable("private bytes are read from /proc, which only Linux has")
    held = _soak(bench, converted_folder(bench))
    ends = min(ENDS, len(held) // 2)
    before, after = statistics.median(held[:ends]), statistics.median(held[-ends:])
    return {
        "memory at the end / warmed up": after / before,
        "after the warm-up, MiB": before / MIB,
        "at the end, MiB": after / MIB,
    }


def _soak(bench: Bench, folder: Path) -> list[int]:
    """Return the bytes held at each look."""
    answers, warm_up = (QUICK_ANSWERS, QUICK_WARM_UP) if bench.quick else (NUM_ANSWERS, WARM_UP)
    command = [sys.executable, "-m", "tests.torture.torch_soaking", str(folder), str(answers), str(warm_up)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [held for held, _, _ in json.loads(done.stdout)["samples"]]
