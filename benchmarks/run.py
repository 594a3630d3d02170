"""Measure what was promised: `python -m benchmarks.run [NAME ...] [--quick] [--list] [--recorded]`.

The home named by HEXCORE_HOME (else the user's own) is only read; measuring happens in copies of it.
"""

from __future__ import annotations

import argparse
import math
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import Bench, NotMeasurable, Target, load, measurement_names
from benchmarks.records import Recorded, keep, read_records
from hexcore_engine.paths import Paths, default_paths

RESULTS_DIR = Path(__file__).parent / "results"
RECORDS_FILE = Path(__file__).parent / "recorded.json"


@dataclass(frozen=True)
class Result:
    """A measurement's figures, or why there are none."""

    name: str
    targets: tuple[Target, ...]
    figures: dict[str, float]
    skipped: str = ""

    @property
    def missed(self) -> bool:
        """Whether a promise was not kept."""
        return not self.skipped and any(not target.met(self.figures[target.name]) for target in self.targets)


def main() -> int:
    """Measure, keep the figures, and print the table; 1 when a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which to measure; all by default")
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it works, not how fast")
    parser.add_argument("--list", action="store_true", help="print the names and leave")
    parser.add_argument("--recorded", action="store_true", help="print the last run of everything and leave")
    options = parser.parse_args()
    known = measurement_names()
    if options.list:
        print("\n".join(f"{name:<16} {(load(name).__doc__ or '').splitlines()[0]}" for name in known))
        return 0
    records = read_records(RECORDS_FILE)
    if options.recorded:
        print_table(recorded_results(records), records)
        return 0
    unknown = sorted(set(options.names) - set(known))
    if unknown:
        parser.error(f"there is no measurement {', '.join(unknown)}; there are {', '.join(known)}")
    # Told to end, it still ends the programs it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results = []
    for name in options.names or known:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        wheels = RESULTS_DIR / "wheels"
        results.append(measure(name, quick=options.quick, prepared=default_paths(), wheels=wheels))
        print(
            f"    {'not measured: ' + results[-1].skipped if results[-1].skipped else 'done'}",
            file=sys.stderr,
        )
        if not options.quick:
            keep(RECORDS_FILE, [(name, results[-1].figures)] if not results[-1].skipped else [])
    print_table(results, records)
    return int(any(result.missed for result in results))


def measure(name: str, *, quick: bool, prepared: Paths, wheels: Path) -> Result:
    """Run one measurement in a folder of its own; see `Bench` for the two places."""
    measurement = load(name)
    with tempfile.TemporaryDirectory(prefix="hexcore-bench-") as work:
        bench = Bench(quick, prepared, Path(work), wheels)
        try:
            figures = dict(measurement.measure(bench))
        except NotMeasurable as reason:
            return Result(name, measurement.TARGETS, {}, str(reason))
    return Result(name, measurement.TARGETS, figures)


def print_table(results: list[Result], records: Mapping[str, Recorded]) -> None:
    """Print measurement, measured, target, ratio of both, the last run that was kept, and the verdict; below
    it what is only recorded."""
    print(f"{'measurement':<58} {'measured':>12} {'target':>12} {'ratio':>6} {'last run':>12}  verdict")
    for result in results:
        for target in result.targets:
            print(_row(result, target, records.get(result.name)))
        judged = {target.name for target in result.targets}
        for name in sorted(set(result.figures) - judged):
            print(f"{f'    {name}':<58} {result.figures[name]:>12,.2f}")
    for date, machine in sorted({(record.date, record.machine) for record in records.values()}):
        print(f"last run of {', '.join(_names_of(records, date, machine))}: {date}, {machine}")
    sys.stdout.flush()


def _row(result: Result, target: Target, last: Recorded | None) -> str:
    before = last.figure(target.name) if last else math.nan
    value = before if result.skipped else result.figures[target.name]
    measured = "-" if result.skipped else _with_unit(value, target.unit)
    sign = ">=" if target.at_least else "<="
    verdict = "ok" if target.met(value) else "missed"
    if result.skipped:
        verdict = f"{verdict} then" if last else f"not measured: {result.skipped}"
    ratio = "-" if math.isnan(value) else f"{value / target.limit:.2f}"
    return (
        f"{f'{result.name}: {target.name}':<58} {measured:>12} "
        f"{f'{sign} {_with_unit(target.limit, target.unit)}':>12} {ratio:>6} "
        f"{_with_unit(before, target.unit):>12}  {verdict}"
    )


def _names_of(records: Mapping[str, Recorded], date: str, machine: str) -> list[str]:
    return sorted(
        name for name, record in records.items() if (record.date, record.machine) == (date, machine)
    )


def recorded_results(records: Mapping[str, Recorded]) -> list[Result]:
    """Every measurement as not measured now, so that the table shows what was kept."""
    return [Result(name, load(name).TARGETS, {}, "no run was kept") for name in measurement_names()]


def _with_unit(value: float, unit: str) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.3g} {unit}".strip() if abs(value) < 1000 else f"{value:,.0f} {unit}".strip()


if __name__ == "__main__":
    sys.exit(main())
