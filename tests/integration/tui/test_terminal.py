"""The app in a real terminal, without an engine that has anything to say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

FIRST_FRAME = ("Hexcore", "Question", "Quit")


def _first_frame(text: str) -> bool:
    return all(word in text for word in FIRST_FRAME)


def test_the_first_frame_shows_name_prompt_and_keys_and_a_key_typed_next_appears(open_terminal: Any) -> None:
    terminal = open_terminal()
    terminal.wait_for(_first_frame)
    terminal.send("zebra")
    terminal.wait_for("zebra")


def test_the_quit_key_leaves_with_exit_code_0(open_terminal: Any) -> None:
    terminal = open_terminal()
    terminal.wait_for(_first_frame)
    terminal.send("\x11")
    assert terminal.wait_for_exit() == 0


def test_the_app_ends_when_its_terminal_goes_away(open_terminal: Any) -> None:
    terminal = open_terminal()
    terminal.wait_for(_first_frame)
    terminal.hang_up()
    assert terminal.wait_for_exit() == 0


def test_a_hangup_signal_ends_the_app_cleanly(open_terminal: Any) -> None:
    terminal = open_terminal()
    terminal.wait_for(_first_frame)
    os.kill(terminal.pid, signal.SIGHUP)
    assert terminal.wait_for_exit() == 0


def test_a_paste_of_100_000_characters_is_folded_at_once_and_quit_still_works(open_terminal: Any) -> None:
    terminal = open_terminal()
    terminal.wait_for(_first_frame)
    terminal.send("\x1b[200~" + "mossy lantern " * 7000 + "the end\x1b[201~")
    terminal.wait_for("[pasted 1: 98,007 characters]")
    terminal.send("\x11")
    assert terminal.wait_for_exit() == 0


def test_no_color_is_respected(open_terminal: Any) -> None:
    terminal = open_terminal(NO_COLOR="1")
    terminal.wait_for(_first_frame)
    # Grey is all that is left: red, green and blue of every colour are equal.
    triples = {part.split(b"m")[0] for part in terminal.raw.split(b"38;2;")[1:]}
    for triple in triples:
        red, green, blue = triple.split(b";")[:3]
        assert red == green == blue


def test_without_a_terminal_it_says_what_to_use_instead(home: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "hexcore_tui"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"HEXCORE_HOME": str(home)},
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert "hexcore ask" in result.stderr


BROKEN = """
import sys
from hexcore_tui.__main__ import main
from hexcore_tui.app import HexcoreApp

def break_it(self):
    secret = "moss lantern"
    raise ValueError(secret)

async def break_in_worker():
    break_it(None)

HexcoreApp.action_help = WAY
sys.exit(main([]))
"""


@pytest.mark.parametrize(
    "way",
    ["break_it", "lambda self: self.run_worker(break_in_worker())"],
    ids=["in an action", "in a worker"],
)
def test_a_defect_leaves_a_report_without_the_users_words_and_prints_none(
    open_terminal: Any, home: Path, way: str
) -> None:
    terminal = open_terminal(argv=(sys.executable, "-c", BROKEN.replace("WAY", way)), columns=200)
    terminal.wait_for(_first_frame)
    terminal.send("my own words\x1bOP")
    assert terminal.wait_for_exit() == 4
    (report,) = (home / "log").glob("crash-*.txt")
    assert str(report) in terminal.text
    text = report.read_text("utf-8")
    assert "builtins.ValueError" in text
    assert "in break_it" in text
    for words in ("moss lantern", "my own words"):
        assert words not in text
    assert b"moss lantern" not in terminal.raw
