"""Official rules releases: imported, compared and searched."""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import Bench, NotMeasurable, Target, percentile
from benchmarks.homes import empty_home, environment
from benchmarks.shared_data import TEST_DATA, VARIABLE
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.paths import Paths

TARGETS = (
    Target("hexcore data import, slowest release's median", 1.5, "s"),
    # People wait for it with the keys in their hands.
    Target("oldest release compared with newest", 1000, "ms"),
)
SEARCHES = ("phasing", "combat damage step", "how does banding work", "trampel", '"first strike"', "702.19")


def measure(bench: Bench) -> dict[str, float]:
    """Import each file into empty homes, then all into one, and look up there."""
    files = official_files()
    rounds = bench.rounds(5, quick=1)
    medians = {
        file: statistics.median(import_into_empty_home(bench, file) for _ in range(rounds)) for file in files
    }
    figures = {TARGETS[0].name: max(medians.values())}
    figures |= {f"{file.stem}, s": median for file, median in medians.items()}
    if len(files) > 1:
        figures["newest imported / oldest imported"] = medians[files[-1]] / medians[files[0]]
    with empty_home(bench, "all") as paths:
        figures["the last of all releases, s"] = [run_import(paths, file) for file in files][-1]
        figures["the same file again, s"] = run_import(paths, files[-1])
        figures |= look_up(paths, bench.rounds(20))
    if len(files) == 1:
        bench.leave_out(TARGETS[1:], f"there is one release in {TEST_DATA}; it takes two")
    return figures


def official_files() -> list[Path]:
    """Return the official files at hand, the newest last.

    Raises:
        NotMeasurable: when there is none.
    """
    files = sorted(TEST_DATA.glob("MagicCompRules*.txt"))
    if not files:
        raise NotMeasurable(f"there is no official rules file in {TEST_DATA}; name its folder in {VARIABLE}")
    return files


def import_into_empty_home(bench: Bench, file: Path) -> float:
    """Return the seconds of the whole command."""
    with empty_home(bench, "one") as paths:
        return run_import(paths, file)


def run_import(paths: Paths, file: Path) -> float:
    """Import a file with the command; return its seconds."""
    started = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "hexcore_engine.cli.main", "data", "import", str(file), "--json"],
        env=environment(paths),
        check=True,
        capture_output=True,
        timeout=120,
    )
    return time.monotonic() - started


def look_up(paths: Paths, rounds: int) -> dict[str, float]:
    """Search the rules, and compare the oldest release with the newest."""
    knowledge = Knowledge(paths.knowledge_dir)
    try:
        knowledge.search_rules("warm", 20)
        times = [milliseconds(knowledge.search_rules, words) for _ in range(rounds) for words in SEARCHES]
        newest, *older = knowledge.releases()
        oldest = older[-1] if older else None
        compared = milliseconds(knowledge.changes, oldest, newest) if oldest else math.nan
        rule = [milliseconds(knowledge.rule, "702.19b") for _ in range(rounds)]
    finally:
        knowledge.close()
    return {
        "a search of the rules, median, ms": statistics.median(times),
        "a search of the rules, p99, ms": percentile(times, 99),
        "a rule with what stands around it, median, ms": statistics.median(rule),
        TARGETS[1].name: compared,
    }


def milliseconds(work: Callable[..., object], *words: str) -> float:
    """Return how long a look-up takes."""
    started = time.perf_counter()
    work(*words)
    return (time.perf_counter() - started) * 1000
