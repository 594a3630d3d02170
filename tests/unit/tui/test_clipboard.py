"""What is said about copying is true."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from hexcore_tui import clipboard
from hexcore_tui.app import HexcoreApp
from hexcore_tui.clipboard import copy, save_copy

NOON = datetime(2026, 1, 2, 12, 0, 0)


@pytest.fixture
def tmux(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """The environment inside a tmux that answers with this value of set-clipboard."""

    def inside(value: str) -> dict[str, str]:
        program = tmp_path / "tmux"
        program.write_text(f"#!/bin/sh\necho {value}\n", "utf-8")
        program.chmod(0o755)
        return {"TMUX": "/tmp/tmux-1/default,1,0", "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    return inside


def test_a_copy_is_said_to_be_sent_not_to_have_arrived(make_app: Callable[[], HexcoreApp]) -> None:
    words = copy(make_app(), "four", {})
    assert "4 characters sent to the terminal (OSC 52)" in words
    assert "copied" not in words.lower()
    assert "^S saves it to a file." in words


@pytest.mark.parametrize("value", ["external", "off"])
def test_in_a_tmux_that_keeps_copies_it_says_how_to_change_that(
    make_app: Callable[[], HexcoreApp], tmux: Callable[[str], dict[str, str]], value: str
) -> None:
    words = copy(make_app(), "four", tmux(value))
    assert f"set-clipboard is {value}" in words
    assert "tmux set -s set-clipboard on" in words


def test_in_a_tmux_that_passes_copies_on_it_says_so(
    make_app: Callable[[], HexcoreApp], tmux: Callable[[str], dict[str, str]]
) -> None:
    assert "passes them on" in copy(make_app(), "four", tmux("on"))


def test_what_is_too_long_to_copy_can_be_saved(make_app: Callable[[], HexcoreApp], tmp_path: Path) -> None:
    words = copy(make_app(), "x" * 80_000, {})
    assert words.startswith("Not copied: 80,000 bytes")
    said = save_copy(tmp_path, NOON)
    file = tmp_path / "hexcore-20260102-120000.md"
    assert said == f"Saved to {file}"
    assert file.read_text("utf-8") == "x" * 80_000 + "\n"


def test_a_folder_that_can_not_be_written_is_said(make_app: Callable[[], HexcoreApp], tmp_path: Path) -> None:
    copy(make_app(), "four", {})
    assert "could not be written" in save_copy(tmp_path / "not there", NOON)


def test_with_nothing_copied_there_is_nothing_to_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipboard, "_copied", {})
    assert save_copy(tmp_path, NOON) == "Nothing was copied yet."
