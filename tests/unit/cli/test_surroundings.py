"""`hexcore doctor` on the terminal, its clipboard and the way to another machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hexcore_engine.cli.main import main

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def plain_surroundings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMUX", "STY", "SSH_CONNECTION", "LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("TERM", "xterm-256color"), ("COLUMNS", "100"), ("LINES", "40")):
        monkeypatch.setenv(name, value)


def finding(capsys: Output, name: str) -> dict[str, object]:
    """What `doctor --json` says under a name."""
    main(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    (found,) = (entry for entry in findings if entry["name"] == name)
    return dict(found)


def test_every_part_has_a_line(capsys: Output) -> None:
    main(["doctor", "--json"])
    names = {entry["name"] for entry in json.loads(capsys.readouterr().out)["findings"]}
    environment = {"version", "packages", "home", "settings", "engine"}
    assert environment | {"gpu", "model", "rules", "cards", "terminal", "clipboard", "ssh"} <= names


def test_every_problem_has_a_remedy(capsys: Output) -> None:
    assert main(["doctor", "--json"]) == 1
    problems = [entry for entry in json.loads(capsys.readouterr().out)["findings"] if not entry["ok"]]
    assert problems
    assert all(entry["remedy"] for entry in problems)


@pytest.mark.parametrize(
    ("variables", "ok", "said"),
    [
        ({}, True, ""),
        ({"COLUMNS": "59"}, False, "60 columns"),
        ({"LINES": "19"}, False, "20 lines"),
        ({"COLUMNS": "60", "LINES": "20"}, True, ""),
        ({"TERM": "dumb"}, True, "hexcore-tui --plain"),
        ({"LANG": "C"}, True, "UTF-8 locale"),
        ({"LANG": "C", "LC_ALL": "en_US.UTF-8"}, True, ""),
    ],
)
def test_the_terminal_is_judged_by_size_kind_and_letters(
    variables: dict[str, str], ok: bool, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = finding(capsys, "terminal")
    assert found["ok"] is ok
    assert said in str(found["remedy"])
    assert bool(found["remedy"]) is bool(said)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, ""),
        ({"TMUX": "x"}, "tmux set -s set-clipboard on"),
        ({"STY": "x"}, "Ctrl+S"),
        ({"TERM": "linux"}, "Ctrl+S"),
    ],
)
def test_who_takes_copies_is_said(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = finding(capsys, "clipboard")
    assert found["ok"]
    assert said in str(found["remedy"])


def test_a_line_of_ssh_is_named(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    assert finding(capsys, "ssh")["detail"] == "the engine of this machine answers"
    monkeypatch.setenv("SSH_CONNECTION", "1 2 3 4")
    assert "over an SSH line" in str(finding(capsys, "ssh")["detail"])


def test_a_command_that_leads_to_no_engine_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("HEXCORE_ENGINE_COMMAND", "false")
    found = finding(capsys, "ssh")
    assert not found["ok"]
    assert "`false` led to no engine" in str(found["detail"])
    assert "in a shell" in str(found["remedy"])
    assert not (Path(os.environ["HEXCORE_HOME"]) / "run" / "e.sock").exists()
