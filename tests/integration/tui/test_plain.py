"""The app without a screen: lines in, lines out, on the real engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import psutil
import pytest

from hexcore_engine.paths import Paths

pytestmark = pytest.mark.slow

QUESTION = "Gravelmaw Titan has trample: how much damage must the blocker get?"
CONTROL_C, CONTROL_D = "\x03", "\x04"


def _plain(*lines: str, **variables: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "hexcore_tui", "--plain"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        env=os.environ | variables,
        timeout=120,
        check=True,
    )
    assert result.stderr == ""
    return result.stdout


def _status() -> str:
    command = [sys.executable, "-m", "hexcore_engine.cli.main", "engine", "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def _answering(open_terminal: Any) -> Any:
    """A terminal in which a long answer is being read out."""
    slow = " ".join(f"word{number}." for number in range(3000))
    terminal = open_terminal("--plain", HEXCORE_SCRIPTED_TEXT=slow, HEXCORE_SCRIPTED_RATE="20")
    terminal.wait_for("Question:")
    terminal.send(f"{QUESTION}\r")
    terminal.wait_for("word3.")
    return terminal


def test_a_question_is_answered_in_lines_and_found_again_by_a_word(engine_home: Paths) -> None:
    text = _plain(QUESTION, "/sessions blocker", "/open last", "/sessions nothingofthekind")
    assert "Card Gravelmaw Titan" in text
    assert "Rule 702.19b: from the evidence." in text
    assert f"You asked: {QUESTION}" in text
    assert "Nothing was said with these words." in text
    assert "\x1b" not in text
    assert not set(text) & set("─│╭╮╰╯█▓▒░")
    assert "" not in text.rstrip("\n").split("\n")


def test_cards_and_rules_are_read_and_found(engine_home: Paths) -> None:
    text = _plain(
        "/card Gravelmaw Titan", "/cards gravelmaw", "/rule 702.19b", "/rules trample", "/rule 999.9z"
    )
    assert "Trample" in text
    assert "Gravelmaw Titan, " in text
    assert "702.19b" in text
    assert "999.9z" in text


def test_a_mistyped_word_is_told_the_nearest(engine_home: Paths) -> None:
    text = _plain("/crads elf", "/mode tecah", "/mode teach", "/new", "/help")
    assert "Did you mean /cards?" in text
    assert "Did you mean teach?" in text
    assert "Mode teach." in text
    assert "/rule 702.19b: read a rule" in text


def test_terms_are_read_and_bytes_that_are_no_text_end_nothing(engine_home: Paths) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "hexcore_tui", "--plain"],
        input=b"/term \xff\n/term nothing of the kind\n/rules trample\n",
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert said.stderr == b""
    assert said.stdout.count(b"The glossary has no such term.") == 2


def test_control_c_twice_leaves_an_engine_that_does_not_hear(engine_home: Paths, open_terminal: Any) -> None:
    terminal = _answering(open_terminal)
    engine = psutil.Process(int(json.loads(_status())["pid"]))
    engine.suspend()
    try:
        terminal.send(CONTROL_C)
        terminal.wait_for("Stopping.")
        terminal.send(CONTROL_C)
        terminal.wait_for("Not waited for any longer.")
        terminal.wait_for(lambda text: text.rstrip().endswith("Question:"))
    finally:
        engine.resume()
    terminal.send(CONTROL_D)
    assert terminal.wait_for_exit() == 0


def test_control_c_stops_the_answer_and_control_d_leaves(engine_home: Paths, open_terminal: Any) -> None:
    terminal = _answering(open_terminal)
    terminal.send(CONTROL_C)
    terminal.wait_for("Stopped; what was written is kept.")
    terminal.wait_for(lambda text: text.rstrip().endswith("Question:"))
    terminal.send(CONTROL_D)
    assert terminal.wait_for_exit() == 0
