"""What `hexcore sessions` refuses before an engine is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hexcore_engine.cli.main import main
from hexcore_engine.cli.sessions import ACTIONS


def test_a_mistyped_action_is_told_before_what_it_lacks_with_the_nearest_and_all(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sessions", "exprot", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert "no `hexcore sessions exprot`" in error["message"]
    assert "Did you mean export?" in error["remedy"]
    assert all(action in error["remedy"] for action in ACTIONS)


def test_an_action_without_its_conversation_is_told_what_each_takes(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sessions", "export", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert "Neither a conversation" in error["message"]
    assert "export ID [markdown|json]" in error["remedy"]
