"""Measure what was promised: `python -m benchmarks.run [NAME ...] [--quick] [--list]`.

The home named by HEXCORE_HOME (else the user's own) is only read; measuring happens in copies of it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import os
import platform
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import Bench, NotMeasurable, Target, load, measurement_names
from hexcore_engine.paths import Paths, default_paths

RESULTS_DIR = Path(__file__).parent / "results"
LATEST_FILE = RESULTS_DIR / "latest.json"


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
    """Measure, print the table and keep the figures; 1 when a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which to measure; all by default")
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it works, not how fast")
    parser.add_argument("--list", action="store_true", help="print the names and leave")
    options = parser.parse_args()
    known = measurement_names()
    if options.list:
        print("\n".join(f"{name:<16} {(load(name).__doc__ or '').splitlines()[0]}" for name in known))
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
        print_table(results[-1:])
    if len(results) > 1:
        print_table(results)
    save(results, quick=options.quick)
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


def print_table(results: list[Result]) -> None:
    """Print measurement, measured, target, ratio of both, and the verdict; below it what is only recorded."""
    print(f"{'measurement':<58} {'measured':>12} {'target':>12} {'ratio':>6}  verdict")
    for result in results:
        if result.skipped:
            print(f"{result.name:<58} {'-':>12} {'-':>12} {'-':>6}  not measured: {result.skipped}")
            continue
        for target in result.targets:
            value = result.figures[target.name]
            sign = ">=" if target.at_least else "<="
            print(
                f"{f'{result.name}: {target.name}':<58} {_with_unit(value, target.unit):>12} "
                f"{f'{sign} {_with_unit(target.limit, target.unit)}':>12} {value / target.limit:6.2f}  "
                f"{'ok' if target.met(value) else 'missed'}"
            )
        judged = {target.name for target in result.targets}
        for name in sorted(set(result.figures) - judged):
            print(f"{f'    {name}':<58} {result.figures[name]:>12,.2f}")
    sys.stdout.flush()


def save(results: list[Result], *, quick: bool) -> None:
    """Keep the figures of this run."""
    RESULTS_DIR.mkdir(exist_ok=True)
    document = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "processor": platform.machine(),
            "system": platform.system(),
            "python": platform.python_version(),
            "load_1min": round(os.getloadavg()[0], 2),
        },
        "quick": quick,
        "results": [
            {
                "name": result.name,
                "skipped": result.skipped or None,
                "figures": {
                    name: round(value, 4) if math.isfinite(value) else None
                    for name, value in result.figures.items()
                },
                "missed": [
                    target.name
                    for target in result.targets
                    if not result.skipped and not target.met(result.figures[target.name])
                ],
            }
            for result in results
        ],
    }
    LATEST_FILE.write_text(json.dumps(document, indent=2) + "\n", "utf-8")


def _with_unit(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}".strip() if abs(value) < 1000 else f"{value:,.0f} {unit}".strip()


if __name__ == "__main__":
    sys.exit(main())
