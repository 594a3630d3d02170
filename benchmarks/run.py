"""Measure what was promised: `python -m benchmarks.run [NAME ...] [--quick] [--list] [--recorded]`.

Each measurement runs in a process of its own with a time limit: what breaks or hangs is a row of the table.
The home named by HEXCORE_HOME (else the user's own) is only read; measuring happens in copies of it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.apart import measure_apart
from benchmarks.harness import load, measurement_names
from benchmarks.records import keep, read_records
from benchmarks.results import Result, print_table, recorded_results
from hexcore_engine.paths import default_paths

RESULTS_DIR = Path(__file__).parent / "results"
RECORDS_FILE = Path(__file__).parent / "recorded.json"


def main() -> int:
    """Measure, keep the figures, and print the table; 1 when a target was missed or a measurement failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which to measure; all by default")
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it works, not how fast")
    parser.add_argument("--list", action="store_true", help="print the names and leave")
    parser.add_argument("--recorded", action="store_true", help="print the last run of everything and leave")
    parser.add_argument(
        "--limit",
        type=float,
        metavar="MINUTES",
        help="end each after so long, not after its own limit",
    )
    options = parser.parse_args()
    known = measurement_names()
    if options.list:
        print("\n".join(f"{name:<22} {(load(name).__doc__ or '').splitlines()[0]}" for name in known))
        return 0
    records = read_records(RECORDS_FILE)
    if options.recorded:
        print_table(recorded_results({name: load(name).TARGETS for name in known}, records), records)
        return 0
    unknown = sorted(set(options.names) - set(known))
    if unknown:
        parser.error(f"there is no measurement {', '.join(unknown)}; there are {', '.join(known)}")
    # Told to end, it still ends the programs it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results = [measure_and_keep(name, options.quick, options.limit) for name in options.names or known]
    print_table(results, records)
    return int(not all(result.all_kept for result in results))


def measure_and_keep(name: str, quick: bool, limit_minutes: float | None) -> Result:
    """Measure, once more where a whole run missed a target or broke, and keep the figures."""
    print(f"measuring {name} …", file=sys.stderr, flush=True)
    result = _measured(name, quick, limit_minutes)
    if not quick and not result.all_kept:
        print("    once more, in case the machine was busy …", file=sys.stderr, flush=True)
        result = replace(_measured(name, quick, limit_minutes), second_try=True)
    if not quick and result.figures:
        keep(RECORDS_FILE, [(name, result.figures)])
    return result


def _measured(name: str, quick: bool, limit_minutes: float | None) -> Result:
    """Measure in a process of its own."""
    started = time.monotonic()
    limit_s = limit_minutes * 60 if limit_minutes else None
    wheels = RESULTS_DIR / "wheels"
    result = measure_apart(name, quick=quick, prepared=default_paths(), wheels=wheels, limit_s=limit_s)
    print(f"    {_told(result)} ({time.monotonic() - started:.0f} s)", file=sys.stderr, flush=True)
    return result


def _told(result: Result) -> str:
    if result.failed or result.skipped:
        return f"failed: {result.failed}" if result.failed else f"skipped: {result.skipped}"
    missed = [target for target in result.targets if result.verdict(target) == "missed"]
    return (
        ", ".join(f"missed: {target.name}, {result.figures.get(target.name)}" for target in missed) or "done"
    )


if __name__ == "__main__":
    sys.exit(main())
