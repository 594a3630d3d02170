"""What measurements gave: figures, or why there are none; and the one table of all of them."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.harness import Target
from benchmarks.records import Recorded


@dataclass(frozen=True)
class Result:
    """A measurement's figures, or why there are none: `skipped` when this machine lacks something, `failed`
    when it broke or took too long. `left_out` says of single targets why they were skipped;
    `second_try` that a first run missed a target or broke."""

    name: str
    targets: tuple[Target, ...]
    figures: Mapping[str, float] = field(default_factory=dict)
    skipped: str = ""
    failed: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)
    second_try: bool = False

    def verdict(self, target: Target) -> str:
        """Return "ok", "missed", "skipped" or "failed", the last two with the reason."""
        if self.failed:
            return f"failed: {self.failed}"
        if self.skipped or target.name in self.left_out:
            return f"skipped: {self.skipped or self.left_out[target.name]}"
        return "ok" if target.met(self.figures.get(target.name, math.nan)) else "missed"

    @property
    def all_kept(self) -> bool:
        """Whether nothing failed and no promise was missed; what was skipped is no miss."""
        return not self.failed and all(self.verdict(target) != "missed" for target in self.targets)


def print_table(results: Sequence[Result], records: Mapping[str, Recorded]) -> None:
    """Print measurement, measured, target, ratio of both, the last run that was kept, and the verdict; below
    it what is only recorded, and how many verdicts there are of each."""
    print(f"{'measurement':<64} {'measured':>12} {'target':>12} {'ratio':>6} {'last run':>12}  verdict")
    for result in results:
        before = ""
        for target in result.targets:
            verdict = result.verdict(target)
            # A reason is told once.
            told = verdict if verdict != before else verdict.partition(":")[0]
            tried = " (second try)" if result.second_try and verdict != before else ""
            print(_row(result, target, records.get(result.name), told + tried))
            before = verdict
        judged = {target.name for target in result.targets}
        for name in sorted(set(result.figures) - judged):
            print(f"{f'    {name}':<64} {result.figures[name]:>12,.2f}")
    print(_counts(results))
    shown = {result.name: records[result.name] for result in results if result.name in records}
    for date, machine in sorted({(record.date, record.machine) for record in shown.values()}):
        print(f"last run of {', '.join(_names_of(shown, date, machine))}: {date}, {machine}")
    sys.stdout.flush()


def recorded_results(
    names: Mapping[str, tuple[Target, ...]], records: Mapping[str, Recorded]
) -> list[Result]:
    """Every measurement as it was kept."""
    found = []
    for name, targets in names.items():
        kept = records[name].figures if name in records else {}
        reasons = {target.name: "no run was kept" for target in targets if target.name not in kept}
        figures = {key: math.nan if value is None else value for key, value in kept.items()}
        found.append(Result(name, targets, figures, left_out=reasons))
    return found


def _row(result: Result, target: Target, last: Recorded | None, verdict: str) -> str:
    value = result.figures.get(target.name, math.nan)
    before = last.figure(target.name) if last else math.nan
    sign = ">=" if target.at_least else "<="
    ratio = "-" if math.isnan(value) else f"{value / target.limit:.2f}"
    return (
        f"{f'{result.name}: {target.name}':<64} {_with_unit(value, target.unit):>12} "
        f"{f'{sign} {_with_unit(target.limit, target.unit)}':>12} {ratio:>6} "
        f"{_with_unit(before, target.unit):>12}  {verdict}"
    )


def _counts(results: Sequence[Result]) -> str:
    verdicts = [result.verdict(target).partition(":")[0] for result in results for target in result.targets]
    return ", ".join(f"{verdicts.count(word)} {word}" for word in ("ok", "missed", "skipped", "failed"))


def _names_of(records: Mapping[str, Recorded], date: str, machine: str) -> list[str]:
    return sorted(
        name for name, record in records.items() if (record.date, record.machine) == (date, machine)
    )


def _with_unit(value: float, unit: str) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.3g} {unit}".strip() if abs(value) < 1000 else f"{value:,.0f} {unit}".strip()
