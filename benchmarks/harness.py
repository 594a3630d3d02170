"""What every measurement shares: targets, rounds, alternating runs, medians and percentiles.

A measurement is one module in `benchmarks/measurements` with a tuple `TARGETS` and a function
`measure(bench) -> dict[str, float]`. A figure named like a target is judged by it; the others are recorded.
One that takes longer than most says so in `LIMIT_S`, seconds.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

from benchmarks import measurements
from hexcore_engine.paths import Paths


@dataclass(frozen=True)
class Target:
    """What was promised: a figure's name, unit ("" for a ratio) and limit."""

    name: str
    limit: float
    unit: str = ""
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Whether `value` keeps the promise; what could not be measured does not."""
        if math.isnan(value):
            return False
        return value >= self.limit if self.at_least else value <= self.limit


class NotMeasurable(Exception):
    """Raised by a measurement when something it needs is not on this machine; says what and how to get it."""


@dataclass(frozen=True)
class Bench:
    """How thoroughly to measure, and where.

    `prepared` is a home where set-up has been run and which is only read; `work` is a folder of this
    measurement's own that is removed after it; `wheels` holds the fetched data packages. `left_out` is filled
    by `leave_out`.
    """

    quick: bool
    prepared: Paths
    work: Path
    wheels: Path
    left_out: dict[str, str] = field(default_factory=dict)

    def leave_out(self, targets: Iterable[Target], reason: object) -> None:
        """Say why some of a measurement's targets can't be measured here, while others are."""
        self.left_out.update({target.name: str(reason) for target in targets})

    def rounds(self, full: int, quick: int = 2) -> int:
        """Return how often to repeat."""
        return quick if self.quick else full

    @property
    def settling_s(self) -> float:
        """How long an app is left alone until its engine has started and loaded the model, seconds."""
        return 1.0 if self.quick else 4.0


class Measurement(Protocol):
    """A module of `benchmarks.measurements`."""

    __doc__: str | None
    TARGETS: tuple[Target, ...]

    def measure(self, bench: Bench) -> Mapping[str, float]:
        """Return the figures: those of the targets, and others to record."""
        ...


def measurement_names() -> list[str]:
    """Return the names of all measurements."""
    return sorted(module.name for module in pkgutil.iter_modules(measurements.__path__))


def load(name: str) -> Measurement:
    """Return a measurement by its name, one that lies elsewhere by its module's whole name."""
    module = name if "." in name else f"{measurements.__name__}.{name}"
    return cast("Measurement", importlib.import_module(module))


def alternate(rounds: int, *runs: Callable[[], float]) -> list[list[float]]:
    """Run each of `runs` once a round, forwards and backwards in turn, so that a busy spell of the machine
    meets all of them; return each one's figures in the order of the rounds."""
    figures: list[list[float]] = [[] for _ in runs]
    for number in range(rounds):
        order = range(len(runs)) if number % 2 == 0 else reversed(range(len(runs)))
        for index in order:
            figures[index].append(runs[index]())
    return figures


def median_ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """Return the median of the ratios of each round."""
    return statistics.median(top / bottom for top, bottom in zip(over, under, strict=True))


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least `percent` of all do not exceed; NaN of nothing."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def timed_ms(work: Callable[[], object]) -> float:
    """Return how long `work` took, milliseconds."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000
