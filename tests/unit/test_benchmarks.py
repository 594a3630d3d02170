from __future__ import annotations

import math

import pytest

from benchmarks.harness import Target, alternate, load, measurement_names, median_ratio, percentile


@pytest.mark.parametrize("name", measurement_names())
def test_every_measurement_says_what_it_is_and_has_targets_of_different_names(name: str) -> None:
    measurement = load(name)
    assert (measurement.__doc__ or "").strip()
    names = [target.name for target in measurement.TARGETS]
    assert names
    assert len(set(names)) == len(names)
    assert all(target.limit > 0 for target in measurement.TARGETS)


def test_a_target_is_met_on_its_own_side_and_never_by_nothing() -> None:
    most, least = Target("late", 20, "ms"), Target("speed", 0.9, at_least=True)
    assert most.met(20)
    assert not most.met(20.1)
    assert least.met(0.9)
    assert not least.met(0.89)
    assert not most.met(math.nan)
    assert not least.met(math.nan)


def test_runs_alternate_and_each_keeps_its_own_figures() -> None:
    seen: list[str] = []

    def run(name: str, figure: float) -> float:
        seen.append(name)
        return figure

    figures = alternate(3, lambda: run("a", 1.0), lambda: run("b", 2.0))
    assert seen == ["a", "b", "b", "a", "a", "b"]
    assert figures == [[1.0] * 3, [2.0] * 3]


def test_ratios_are_taken_round_by_round() -> None:
    assert median_ratio([2.0, 30.0, 4.0], [1.0, 10.0, 4.0]) == 2.0


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(number) for number in range(1, 201)]
    assert percentile(values, 99) == 198.0
    assert percentile(values, 100) == 200.0
    assert percentile([7.0], 50) == 7.0
    assert math.isnan(percentile([], 99))
