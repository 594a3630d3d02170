"""What a person comes for, done in a real terminal with no help but the screen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.knowledge.rules.release import import_rules_file
from hexcore_engine.paths import Paths
from tests.unit.knowledge.rules.own_release import own_editions

from .conftest import ENGINE_VARIABLES, ask_then_begin_anew

pytestmark = pytest.mark.slow

QUIET_S = 2.0
QUESTION = "Gravelmaw Titan has trample: how much damage must the blocker get?"
ESCAPE, DOWN, CONTROL_L, CONTROL_O, CONTROL_Q = "\x1b", "\x1b[B", "\x0c", "\x0f", "\x11"
CONTROL_E, CONTROL_X, CONTROL_Z = "\x05", "\x18", "\x1a"
F2, F3, F4, F6 = "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[17~"


def test_yesterdays_conversation_is_found_by_a_word_in_it_and_exported(
    engine_home: Paths, open_terminal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    terminal = open_terminal(columns=120, rows=30)
    terminal.wait_for("Question")
    ask_then_begin_anew(terminal, QUESTION)
    terminal.send("How does flying work?\r")
    terminal.wait_for("tokens/s")
    terminal.send(F6)
    terminal.wait_for("How does flying work?")
    terminal.send("blocker")
    terminal.wait_for(lambda text: "1 found" in text and "How does flying work?" not in text)
    terminal.send(ESCAPE)
    terminal.wait_for("How does flying work?")
    terminal.send("blocker")
    terminal.wait_for("1 found")
    terminal.send("\r")
    terminal.wait_for("small model's draft")
    terminal.send(F6)
    # The search is there as it was left.
    terminal.wait_for("│  blocker")
    terminal.send(CONTROL_E)
    terminal.wait_for("Saved to")
    terminal.send(f"{ESCAPE}e")
    terminal.wait_for(".json")
    (markdown,) = tmp_path.glob("hexcore-*.md")
    (document,) = tmp_path.glob("hexcore-*.json")
    assert "Rules named:" in markdown.read_text("utf-8")
    turn = json.loads(document.read_text("utf-8"))["turns"][0]
    assert turn["citations"]
    assert "rules_release" in turn


def test_a_deleted_conversation_comes_back_with_one_key(engine_home: Paths, open_terminal: Any) -> None:
    terminal = open_terminal(columns=100)
    terminal.wait_for("Question")
    terminal.send(f"{QUESTION}\r")
    terminal.wait_for("tokens/s")
    terminal.send(F6)
    terminal.wait_for("1 turn")
    terminal.send(CONTROL_X)
    terminal.wait_for("^Z brings it back")
    terminal.wait_for(lambda text: "1 turn" not in text)
    terminal.send(CONTROL_Z)
    terminal.wait_for("1 turn")


def test_a_card_is_found_by_a_query_with_an_operator(engine_home: Paths, open_terminal: Any) -> None:
    terminal = open_terminal(columns=100)
    terminal.wait_for("Question")
    terminal.send(F3)
    terminal.wait_for("Name of a card")
    terminal.send("t:snake pow<2")
    terminal.wait_for(lambda text: "Nettle Adder" in text and "1 found" in text)
    assert "Gravelmaw Titan" not in terminal.text


def test_rules_and_cards_are_looked_up_beside_the_chat_and_the_question_stays(
    engine_home: Paths, open_terminal: Any
) -> None:
    terminal = open_terminal(columns=110, rows=36)
    terminal.wait_for("Question")
    terminal.send("half a question")
    terminal.wait_for("half a question")
    terminal.send(CONTROL_L)
    terminal.wait_for("words of a rule")
    terminal.send("trample")
    terminal.wait_for(lambda text: "Rules (" in text and "702.19" in text)
    terminal.send(DOWN)
    terminal.wait_for(lambda text: "words of a rule" not in text and "│ trample" in text)
    # The card that has it comes first, then the rules.
    terminal.send("\t")
    terminal.send("\t")
    terminal.send("\r")
    terminal.wait_for("Under 702.19")
    terminal.send("[")
    terminal.wait_for("Rules (")
    terminal.send("]")
    terminal.wait_for("Under 702.19")
    terminal.send("/nettle")
    terminal.wait_for(lambda text: "Cards (1 of 1)" in text and "Nettle Adder" in text)
    terminal.send(ESCAPE)
    terminal.wait_for("Under 702.19")
    terminal.send(ESCAPE)
    terminal.wait_for(lambda text: "702.19" not in text)
    terminal.send(" and more")
    terminal.wait_for("half a question and more")


def test_two_releases_are_compared(engine_home: Paths, open_terminal: Any, tmp_path: Path) -> None:
    for name, content in own_editions().items():
        file = tmp_path / f"{name}.txt"
        file.write_bytes(content)
        import_rules_file(engine_home.knowledge_dir, file)
    terminal = open_terminal(columns=100)
    terminal.wait_for("Question")
    terminal.send(F4)
    terminal.wait_for("Comprehensive Rules 2025-02-01")
    terminal.send(CONTROL_O)
    terminal.wait_for("changes · 2025-01-01 → 2025-02-01")
    terminal.send("\r")
    terminal.wait_for("Comprehensive Rules 2025-02-01")


def test_a_resized_window_keeps_question_and_answer(engine_home: Paths, open_terminal: Any) -> None:
    terminal = open_terminal(columns=120, rows=40)
    terminal.wait_for("Question")
    terminal.send(f"{QUESTION}\r")
    terminal.wait_for("tokens/s")
    terminal.send("half a question")
    for columns, rows in ((60, 20), (200, 60), (80, 24)):
        terminal.resize(columns, rows)
        terminal.wait_for(lambda text: "half a question" in text and "from the evidence" in text)


def test_over_a_line_nothing_blinks(engine_home: Paths, open_terminal: Any) -> None:
    terminal = open_terminal(SSH_CONNECTION="192.0.2.1 1 192.0.2.2 22")
    terminal.wait_for("Question")
    terminal.send(f"{QUESTION}\r")
    terminal.wait_for("tokens/s")
    deadline = time.monotonic() + 20
    quiet_since, size = time.monotonic(), 0
    # A cursor that blinks writes twice a second.
    while time.monotonic() - quiet_since < QUIET_S:
        assert time.monotonic() < deadline, "the app goes on writing"
        terminal._read(0.05)
        if len(terminal.raw) != size:
            quiet_since, size = time.monotonic(), len(terminal.raw)


def _environment(paths: Paths) -> dict[str, str]:
    """This process's, with the test's own home, and in no multiplexer."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEXCORE_")}
    for name in ("TMUX", "STY"):
        environment.pop(name, None)
    return environment | {"TERM": "xterm-256color", "HEXCORE_HOME": str(paths.home), **ENGINE_VARIABLES}


def _output_of(environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout


@pytest.fixture
def tmux(paths: Paths, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Runs tmux with a server of this test's own; it does not outlive the test."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    environment = _environment(paths)
    socket = str(tmp_path / "tmux.sock")

    run = partial(_output_of, environment, "tmux", "-S", socket)
    yield run
    run("kill-server")


def test_detached_in_tmux_it_goes_on_and_is_there_again(
    engine_home: Paths, tmux: Callable[..., str], open_terminal: Any, tmp_path: Path
) -> None:
    command = f"{sys.executable} -m hexcore_tui"
    tmux("new-session", "-d", "-s", "own", "-x", "100", "-y", "30", command)

    def wait_for(words: str) -> None:
        deadline = time.monotonic() + 20
        while words not in (text := tmux("capture-pane", "-p", "-t", "own")):
            assert time.monotonic() < deadline, text
            time.sleep(0.05)

    wait_for("Question")
    terminal = open_terminal(argv=("tmux", "-S", str(tmp_path / "tmux.sock"), "attach", "-t", "own"))
    terminal.wait_for("Question")
    terminal.send(f"{QUESTION}\r")
    terminal.wait_for("small model's draft")
    tmux("detach-client", "-s", "own")
    terminal.wait_for_exit()
    wait_for("tokens/s")
    again = open_terminal(argv=("tmux", "-S", str(tmp_path / "tmux.sock"), "attach", "-t", "own"))
    again.wait_for("from the evidence")
    again.send(CONTROL_Q)
    again.wait_for_exit()


@pytest.fixture
def screen(paths: Paths, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Runs screen with a folder of this test's own; what runs in it does not outlive the test."""
    if shutil.which("screen") is None:
        pytest.skip("screen is not installed")
    folder = tmp_path / "screens"
    folder.mkdir(mode=0o700)
    environment = _environment(paths) | {"SCREENDIR": str(folder)}
    run = partial(_output_of, environment, "screen", "-c", "/dev/null")
    yield run
    run("-S", "own", "-X", "quit")


def test_detached_in_screen_it_goes_on_and_is_there_again(
    engine_home: Paths, screen: Callable[..., str], open_terminal: Any, tmp_path: Path
) -> None:
    # Started without a terminal, screen keeps Ctrl+Q for flow control else.
    screen("-U", "-fn", "-dmS", "own", sys.executable, "-m", "hexcore_tui")
    attach = ("screen", "-U", "-fn", "-r", "own")
    folder = str(tmp_path / "screens")
    terminal = open_terminal(argv=attach, SCREENDIR=folder)
    terminal.wait_for("Question")
    terminal.send(f"{QUESTION}\r")
    terminal.wait_for("small model's draft")
    screen("-d", "own")
    terminal.wait_for_exit()
    again = open_terminal(argv=attach, SCREENDIR=folder)
    again.wait_for("tokens/s")
    again.wait_for("from the evidence")
    again.send(CONTROL_Q)
    again.wait_for_exit()
