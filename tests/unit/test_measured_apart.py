"""Each measurement runs in a process of its own: what breaks or hangs there is a row of the table."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks import apart, run
from benchmarks.apart import measure_apart
from benchmarks.results import Result
from hexcore_engine.paths import Paths

FOLDER = "tests.unit.measured_apart"


def measure(name: str, home: Path, limit_s: float = 60.0) -> Result:
    paths = Paths(home=home, config_dir=home / "config", log_dir=home / "log")
    return measure_apart(f"{FOLDER}.{name}", quick=True, prepared=paths, wheels=home, limit_s=limit_s)


def test_figures_come_back_from_the_process(tmp_path: Path) -> None:
    result = measure("works", tmp_path)
    assert (result.figures["wait"], result.figures["prepared is there"]) == (3.0, 1.0)
    assert math.isnan(result.figures["lost"])
    assert result.verdict(result.targets[0]) == "ok"


def test_what_breaks_dies_or_lacks_something_is_told_in_its_row(tmp_path: Path) -> None:
    broken, dead, lacking = (measure(name, tmp_path) for name in ("breaks", "dies", "lacks"))
    assert broken.verdict(broken.targets[0]).startswith("failed: ValueError after 0 s: the lantern went out")
    assert dead.verdict(dead.targets[0]) == "failed: its process ended with 9 and left no figures"
    assert lacking.verdict(lacking.targets[0]) == "skipped: there is no moss here"
    assert not broken.figures


def test_what_hangs_is_ended_with_everything_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What it started hears nothing and would be waited for.
    monkeypatch.setattr(apart, "ENDING_S", 1.0)
    result = measure("hangs", tmp_path, limit_s=5.0)
    assert result.failed == "it was ended after 5 s"
    child = int((tmp_path / "child").read_text("ascii"))
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_a_run_goes_on_after_a_failure_and_ends_with_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"{FOLDER}.{name}" for name in ("breaks", "works")]
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path))
    monkeypatch.setattr(run, "measurement_names", lambda: names)
    monkeypatch.setattr(run, "RECORDS_FILE", tmp_path / "recorded.json")
    monkeypatch.setattr(sys, "argv", ["run"])
    assert run.main() == 1
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith(FOLDER)]
    assert "failed: ValueError" in rows[0]
    assert rows[1].endswith("ok")
    assert (tmp_path / "recorded.json").read_text("utf-8").count("machine") == 1


def test_what_missed_is_measured_once_more_and_the_table_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path))
    monkeypatch.setattr(run, "measurement_names", lambda: [f"{FOLDER}.misses"])
    monkeypatch.setattr(run, "RECORDS_FILE", tmp_path / "recorded.json")
    monkeypatch.setattr(sys, "argv", ["run"])
    assert run.main() == 0
    printed = capsys.readouterr()
    assert "missed: wait, 30.0" in printed.err
    assert "9 ms" in printed.out
    assert "ok (second try)" in printed.out
