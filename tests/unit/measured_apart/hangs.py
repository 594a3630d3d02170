"""One that hangs, and has started a program that hangs too and hears nothing."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.harness import Bench, Target

TARGETS = (Target("wait", 20, "ms"),)


def measure(bench: Bench) -> dict[str, float]:
    """Hang, and write the number of the program."""
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", deaf], start_new_session=True)
    (bench.prepared.home / "child").write_text(str(child.pid), "ascii")
    time.sleep(600)
    return {}
