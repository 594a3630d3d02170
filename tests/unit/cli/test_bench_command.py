"""`hexcore bench` measures what is set up and says each figure beside its aim."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hexcore_engine.cli.bench import Measured, table
from hexcore_engine.cli.main import main
from hexcore_engine.data.demo import build_demo

Output = pytest.CaptureFixture[str]


def test_without_anything_set_up_there_is_nothing_to_measure(home: Path, capsys: Output) -> None:
    assert main(["bench", "--quick", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "HX-KNOWLEDGE"


def test_a_figure_is_judged_on_its_side_and_a_missing_one_not_at_all() -> None:
    late, quick = Measured("wait", 30.0, 20, "ms"), Measured("wait", 20.0, 20, "ms")
    slow, none = (
        Measured("speed", 6.9, 7, "tokens/s", True),
        Measured("speed", None, 7, "tokens/s", True, "no model"),
    )
    assert [figure.met for figure in (late, quick, slow, none)] == [False, True, False, None]
    lines = table([late, quick, slow, none]).splitlines()
    assert [line.split()[-1] for line in lines[1:4]] == ["missed", "ok", "missed"]
    assert lines[4].endswith("not measured: no model")


@pytest.mark.slow
def test_look_ups_evidence_and_model_are_measured(
    home: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_MODEL_PATH", "scripted")
    build_demo(home / "knowledge")
    try:
        code = main(["bench", "--quick", "--json"])
        document = json.loads(capsys.readouterr().out)
        figures = {entry["name"]: entry for entry in document["figures"]}
        assert code == int(any(entry["met"] is False for entry in figures.values()))
        assert len(figures) == 6
        assert all(entry["value"] > 0 for entry in figures.values())
        assert "load" in document["machine"]
        # Its questions are no conversation of the user's.
        assert main(["sessions"]) == 1
    finally:
        main(["engine", "stop"])
