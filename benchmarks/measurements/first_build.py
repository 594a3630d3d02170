"""The first build of a knowledge file: packaged cards and one official release, from files on disk."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.harness import Bench, Target
from benchmarks.homes import empty_home, environment
from benchmarks.measurements.card_import import PEAK_UNIT
from benchmarks.measurements.rules_import import official_files
from benchmarks.measurements.set_up import fetch_wheels
from hexcore_engine.knowledge.lookup import Knowledge

TARGETS = (
    Target("packaged cards and one release built, median", 8, "s"),
    Target("peak memory of that build", 400, "MB"),
)


def measure(bench: Bench) -> dict[str, float]:
    """Run `hexcore setup --rules FILE` with the newest release in empty homes; the model is not at hand, so
    knowledge alone is built."""
    cards, _ = fetch_wheels(bench.wheels)
    newest = official_files()[-1]
    builds = [build(bench, cards, newest) for _ in range(bench.rounds(3, quick=1))]
    seconds = [taken for taken, _ in builds]
    return {
        "packaged cards and one release built, median": statistics.median(seconds),
        "peak memory of that build": max(peak for _, peak in builds) * PEAK_UNIT / 1e6,
        "slowest, s": max(seconds),
    }


def build(bench: Bench, cards: Path, rules: Path) -> tuple[float, int]:
    """Build in an empty home; return the seconds of the whole command and its peak memory as `wait4` has
    it."""
    with empty_home(bench, "first-build") as paths:
        paths.downloads_dir.mkdir()
        shutil.copy(cards, paths.downloads_dir)
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "hexcore_engine.cli.main", "setup", "--rules", str(rules), "--json"],
            env=environment(paths),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, _, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        require_built(paths.knowledge_dir)
    return seconds, usage.ru_maxrss


def require_built(folder: Path) -> None:
    """Refuse a figure of a build that is not whole.

    Raises:
        RuntimeError: naming the folder.
    """
    knowledge = Knowledge(folder)
    try:
        status = knowledge.status()
    finally:
        knowledge.close()
    if not status.num_cards or status.release is None or not status.release.official:
        raise RuntimeError(f"the first build in {folder} is not whole")
