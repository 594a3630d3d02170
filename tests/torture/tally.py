"""Counting what was tried, and keeping in words what was lost."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

SEED_VARIABLE = "HEXCORE_TORTURE_SEED"
SCALE_VARIABLE = "HEXCORE_TORTURE_SCALE"
MOST_LOSSES_SHOWN = 20


def scaled(count: int) -> int:
    """How often to do what a whole run does `count` times."""
    return max(1, round(count * float(os.environ.get(SCALE_VARIABLE, "1"))))


@dataclass
class Tally:
    """What one test tried, by kind, and what it lost; `notes` are figures worth printing;
    a `broken` one failed otherwise."""

    name: str
    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    losses: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    takes_s: float = 0.0
    broken: bool = False

    def tried(self, what: str, count: int = 1) -> None:
        """Count attempts of a kind."""
        self.counts[what] += count

    def lost(self, what: str) -> None:
        """Keep in words what was lost; the test goes on and fails at its end."""
        self.losses.append(what)

    def expect(self, kept: object, what: str) -> None:
        """Keep `what` as lost unless `kept`."""
        if not kept:
            self.lost(what)

    def note(self, figure: str) -> None:
        """Keep a figure for the table."""
        self.notes.append(figure)

    def settle(self) -> None:
        """Fail when anything was lost."""
        self.takes_s = time.monotonic() - self.started
        if self.losses:
            shown = "\n".join(self.losses[:MOST_LOSSES_SHOWN])
            pytest.fail(f"{SEED_VARIABLE}={self.seed}: {len(self.losses)} lost\n{shown}", pytrace=False)


def table_of(tallies: Sequence[Tally], others: Sequence[pytest.TestReport]) -> list[str]:
    """The lines of the table: one a test, its figures below it."""
    lines = [f"{'seconds':>7}  {'lost':>4}  what was tried"]
    for tally in tallies:
        tried = ", ".join(f"{count:,} {what}" for what, count in tally.counts.items()) or "nothing"
        name = tally.name.removeprefix("test_").replace("_", " ")
        lines.append(f"{tally.takes_s:>7.0f}  {len(tally.losses) + tally.broken:>4}  {name}: {tried}")
        lines += [f"{'':>15}{note}" for note in tally.notes]
    for report in others:
        name = report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        lines.append(f"{report.duration:>7.0f}  {int(report.failed):>4}  {name}: {report.outcome}")
    total = sum(len(tally.losses) + tally.broken for tally in tallies) + sum(
        report.failed for report in others
    )
    lines.append(f"lost in all: {total or 'nothing'}")
    return lines
