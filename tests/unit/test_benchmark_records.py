"""The last run of each measurement is kept with its date and machine, and shown beside the new figures."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.harness import Target
from benchmarks.records import keep, read_records
from benchmarks.run import Result, print_table

TARGETS = (Target("wait", 20, "ms"), Target("speed", 0.9, at_least=True))
Output = pytest.CaptureFixture[str]


def test_runs_are_kept_by_name_and_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "kept" / "recorded.json"
    assert read_records(file) == {}
    keep(file, [("lantern", {"wait": 1.23456, "lost": math.nan}), ("moss", {"wait": 2.0})])
    keep(file, [("moss", {"wait": 3.0})])
    records = read_records(file)
    assert (records["lantern"].figure("wait"), records["moss"].figure("wait")) == (1.2346, 3.0)
    assert math.isnan(records["lantern"].figure("lost"))
    assert math.isnan(records["lantern"].figure("never"))
    assert "load" in records["moss"].machine
    assert records["moss"].date.endswith("+00:00")


def test_the_table_shows_target_ratio_last_run_and_verdict(tmp_path: Path, capsys: Output) -> None:
    file = tmp_path / "recorded.json"
    keep(file, [("lantern", {"wait": 10.0, "speed": 0.5})])
    now = Result("lantern", TARGETS, {"wait": 30.0, "speed": 1.0, "beside": 5.0})
    print_table([now, Result("moss", TARGETS, {}, "no GPU")], read_records(file))
    head, wait, speed, beside, moss, _, last = capsys.readouterr().out.splitlines()
    assert "last run" in head
    assert wait.split()[2:] == ["30", "ms", "<=", "20", "ms", "1.50", "10", "ms", "missed"]
    assert speed.split()[2:] == ["1", ">=", "0.9", "1.11", "0.5", "ok"]
    assert beside.split() == ["beside", "5.00"]
    assert moss.endswith("not measured: no GPU")
    assert last.startswith("last run of lantern: ")


def test_what_is_not_measured_now_shows_what_it_was(tmp_path: Path, capsys: Output) -> None:
    file = tmp_path / "recorded.json"
    keep(file, [("lantern", {"wait": 10.0, "speed": 0.5})])
    print_table([Result("lantern", TARGETS, {}, "no GPU")], read_records(file))
    _, wait, speed, _ = capsys.readouterr().out.splitlines()
    assert wait.endswith("ok then")
    assert speed.endswith("missed then")
