"""The last run of each measurement is kept with its date and machine, and shown beside the new figures."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.harness import Target
from benchmarks.records import keep, read_records
from benchmarks.results import Result, print_table, recorded_results

TARGETS = (Target("wait", 20, "ms"), Target("speed", 0.9, at_least=True))
Output = pytest.CaptureFixture[str]


def test_runs_are_kept_by_name_and_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "kept" / "recorded.json"
    assert read_records(file) == {}
    keep(
        file, [("lantern", {"wait": 1.23456, "lost": math.nan, "off": 0.0000612345}), ("moss", {"wait": 2.0})]
    )
    keep(file, [("moss", {"wait": 3.0})])
    records = read_records(file)
    assert (records["lantern"].figure("wait"), records["moss"].figure("wait")) == (1.2346, 3.0)
    assert records["lantern"].figure("off") == 0.00006123
    assert math.isnan(records["lantern"].figure("lost"))
    assert math.isnan(records["lantern"].figure("never"))
    assert "load" in records["moss"].machine
    assert records["moss"].date.endswith("+00:00")


def test_the_table_shows_target_ratio_last_run_and_verdict(tmp_path: Path, capsys: Output) -> None:
    file = tmp_path / "recorded.json"
    keep(file, [("lantern", {"wait": 10.0, "speed": 0.5})])
    now = Result("lantern", TARGETS, {"wait": 30.0, "speed": 1.0, "beside": 5.0})
    skipped, failed = (
        Result("moss", TARGETS, skipped="no GPU"),
        Result("fern", TARGETS[:1], failed="it broke"),
    )
    print_table([now, skipped, failed], read_records(file))
    head, wait, speed, beside, moss, _, fern, counts, last = capsys.readouterr().out.splitlines()
    assert "last run" in head
    assert wait.split()[2:] == ["30", "ms", "<=", "20", "ms", "1.50", "10", "ms", "missed"]
    assert speed.split()[2:] == ["1", ">=", "0.9", "1.11", "0.5", "ok"]
    assert beside.split() == ["beside", "5.00"]
    assert moss.endswith("skipped: no GPU")
    assert fern.endswith("failed: it broke")
    assert counts == "1 ok, 1 missed, 2 skipped, 1 failed"
    assert last.startswith("last run of lantern: ")
    assert [result.all_kept for result in (now, skipped, failed)] == [False, True, False]


def test_one_target_can_be_skipped_while_others_are_judged(capsys: Output) -> None:
    result = Result("lantern", TARGETS, {"wait": 3.0}, left_out={"speed": "no second card"})
    print_table([result], {})
    _, wait, speed, counts = capsys.readouterr().out.splitlines()
    assert wait.endswith("ok")
    assert speed.endswith("skipped: no second card")
    assert counts == "1 ok, 0 missed, 1 skipped, 0 failed"
    assert result.all_kept


def test_what_was_kept_is_shown_as_it_was(tmp_path: Path, capsys: Output) -> None:
    file = tmp_path / "recorded.json"
    keep(file, [("lantern", {"wait": 10.0, "speed": 0.5})])
    records = read_records(file)
    print_table(recorded_results({"lantern": TARGETS, "moss": TARGETS[:1]}, records), records)
    _, wait, speed, moss, *_ = capsys.readouterr().out.splitlines()
    assert wait.endswith("ok")
    assert speed.endswith("missed")
    assert moss.endswith("skipped: no run was kept")
