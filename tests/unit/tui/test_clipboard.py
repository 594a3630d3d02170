"""What is said about copying is true."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from textual.widgets import Input

from hexcore_tui import clipboard
from hexcore_tui.app import HexcoreApp
from hexcore_tui.clipboard import copy, save_copy

from .conftest import until

NOON = datetime(2026, 1, 2, 12, 0, 0)


@pytest.fixture
def tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, str]]:
    """The environment inside a tmux that answers with this value of set-clipboard."""

    def inside(value: str) -> dict[str, str]:
        program = tmp_path / "tmux"
        program.write_text(f"#!/bin/sh\necho {value}\n", "utf-8")
        program.chmod(0o755)
        # A busy machine may start the program late.
        monkeypatch.setattr(clipboard, "TMUX_TIMEOUT_S", 10.0)
        return {"TMUX": "/tmp/tmux-1/default,1,0", "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    return inside


def test_where_nothing_is_read_there_is_nothing_to_copy(make_app: Callable[[], HexcoreApp]) -> None:
    assert copy(make_app(), " \n", {}) == "There is nothing to copy here yet."


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


@pytest.mark.parametrize("length", [4, 80_000])
async def test_a_copied_selection_is_told_and_can_be_saved_and_pasted(
    make_app: Callable[[], HexcoreApp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    app = make_app()
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        copy(app, "older", {})
        await pilot.press("f10", "enter")
        field = app.screen.query_one(Input)
        field.add_class("-editing")
        field.value = "x" * length
        field.focus()
        await pilot.pause()
        field.select_all()
        await pilot.press("ctrl+c")
        await until(app, pilot, "4 characters sent" if length == 4 else "Not copied")
        assert app.clipboard == "x" * length
    save_copy(tmp_path, NOON)
    assert (tmp_path / "hexcore-20260102-120000.md").read_text("utf-8") == "x" * length + "\n"


def test_a_folder_that_can_not_be_written_is_said(make_app: Callable[[], HexcoreApp], tmp_path: Path) -> None:
    copy(make_app(), "four", {})
    assert "could not be written" in save_copy(tmp_path / "not there", NOON)


def test_with_nothing_copied_there_is_nothing_to_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipboard, "_copied", {})
    assert save_copy(tmp_path, NOON) == "Nothing was copied yet."
