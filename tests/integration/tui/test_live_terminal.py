"""The app in a real terminal on a real engine: what a person sees, and what bytes the terminal gets."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.client.client import EngineClient
from hexcore_engine.data.demo import CARDS
from hexcore_engine.knowledge.cards.records import CardsSource
from hexcore_engine.knowledge.cards.schema import write_cards
from hexcore_engine.knowledge.rules.release import import_rules_file
from hexcore_engine.knowledge.store.builder import import_lock, publish_cards
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.events import SessionOpened
from hexcore_engine.protocol.records import TurnRecord
from hexcore_engine.protocol.requests import OpenSession
from hexcore_engine.settings import Settings

from .conftest import CONTROL_N, ask_then_begin_anew

pytestmark = pytest.mark.slow

QUESTION = "Gravelmaw Titan has trample: how much damage must the blocker get?"
ESCAPE, CONTROL_Q, CONTROL_T = "\x1b", "\x11", "\x14"
TAB, UP, DOWN = "\t", "\x1b[A", "\x1b[B"
F3, F6, F7 = "\x1bOR", "\x1b[17~", "\x1b[18~"

# Each would move a cursor, set a title, make a link, ask the terminal something or hide words.
HOSTILE = (
    "evil\x1b]0;pwned title\x07\x1b[99;98H\x1b]8;;http://pwned.example\x1b\\link\x1b]8;;\x1b\\"
    "\x1b[6n\x1bP+q544e\x1b\\\x9b97;96H\x9d0;pwned\x9c\u202eflip\u2066\u200b [bold red]loud[/] **stars**"
)
FORBIDDEN = (
    "\x1b]0;pwned",
    "\x1b[99;98H",
    "\x1b]8;",
    "\x1b[6n",
    "\x1bP+q544e",
    "\x9b",
    "97;96H",
    "\x9d",
    "\u202e",
    "\u2066",
    "\u200b",
)
RULES = """Rules of the lantern

These rules are effective as of January 1, 2026.

1. Game Concepts

100. Lanterns

100.1. A lantern HOSTILE counts as lit while its keeper is awake.

100.1a Trample and damage HOSTILE to a blocker put it out.

Glossary

Lantern
A thing HOSTILE that glows.

Credits
"""


def _words(count: int) -> str:
    return " ".join(f"word{number}" for number in range(count))


def _stored_turn(paths: Paths) -> TurnRecord | None:
    async def read() -> TurnRecord | None:
        client = await EngineClient.connect(paths, Settings(), start=False)
        try:
            opened = await client.call(OpenSession("last"))
        finally:
            await client.close()
        return opened.turns[-1] if isinstance(opened, SessionOpened) and opened.turns else None

    return asyncio.run(read())


def test_a_person_asks_sees_evidence_and_answer_and_leaves(engine_home: Paths, open_terminal: Any) -> None:
    terminal = open_terminal()
    terminal.wait_for("Question")
    terminal.send(f"{QUESTION}\r")
    terminal.wait_for("small model's draft")
    terminal.wait_for("from the evidence")
    terminal.wait_for("tokens/s")
    terminal.send(TAB)
    terminal.wait_for("Enter Open")
    terminal.send("\r")
    terminal.wait_for("Esc Close")
    terminal.send(ESCAPE)
    terminal.wait_for(lambda text: "Esc Close" not in text)
    terminal.send(CONTROL_Q)
    assert terminal.wait_for_exit() == 0


def test_a_citation_is_followed_two_levels_deep_and_back_and_forward(
    engine_home: Paths, open_terminal: Any
) -> None:
    terminal = open_terminal(columns=100, rows=32)
    terminal.wait_for("Question")
    terminal.send(f"{QUESTION}\r")
    terminal.wait_for("tokens/s")
    terminal.send(TAB)
    terminal.wait_for("Enter Open")
    terminal.send(DOWN)
    terminal.send("\r")
    terminal.wait_for("Beside 702.19b")
    for page, content in (("2 of 2", "Under 7"), ("3 of 3", "Under 700")):
        terminal.send(TAB)
        terminal.send("\r")
        terminal.wait_for(page)
        terminal.wait_for(content)
    for key, page in (("[", "2 of 3"), ("[", "1 of 3"), ("]", "2 of 3")):
        terminal.send(key)
        terminal.wait_for(page)
    terminal.send(ESCAPE)
    terminal.wait_for(lambda text: "2 of 3" not in text)


def test_a_card_is_found_while_typing_and_its_name_goes_into_a_question(
    engine_home: Paths, open_terminal: Any
) -> None:
    terminal = open_terminal()
    terminal.wait_for("Question")
    terminal.send(F3)
    terminal.wait_for("Name of a card")
    terminal.send("adder")
    terminal.wait_for("Source: invented")
    terminal.send(F7)
    terminal.wait_for("[[Nettle Adder]]")


def test_a_mode_is_pinned_by_its_name_and_by_its_key(engine_home: Paths, open_terminal: Any) -> None:
    terminal = open_terminal()
    terminal.wait_for("mode auto")
    terminal.send("/mode teach\r")
    terminal.wait_for("mode TEACH")
    terminal.send(f"{QUESTION}\r")
    terminal.wait_for("mode TEACH (chosen)")
    terminal.wait_for("tokens/s")
    terminal.send(CONTROL_T)
    terminal.wait_for("mode PREDICT")


def test_a_name_is_completed_and_an_answer_is_copied_edited_and_searched(
    engine_home: Paths, open_terminal: Any
) -> None:
    terminal = open_terminal(columns=100, rows=32)
    terminal.wait_for("Question")
    terminal.send("Does [[gravel")
    terminal.wait_for("Gravelmaw Titan")
    terminal.send(f"{TAB}trample?\r")
    terminal.wait_for("Does [[Gravelmaw Titan]] trample?")
    terminal.wait_for("tokens/s")
    terminal.send(UP)
    terminal.wait_for("r Retry")
    terminal.send("y")
    terminal.wait_for("OSC 52")
    terminal.send("e")
    terminal.wait_for("Change the question")
    terminal.send(ESCAPE)
    terminal.wait_for(lambda text: "Change the question" not in text)
    terminal.send(UP)
    terminal.wait_for("r Retry")
    terminal.send("s")
    terminal.wait_for("Hexcore  rules")


def test_an_earlier_conversation_is_reopened_and_gone_on_with(engine_home: Paths, open_terminal: Any) -> None:
    terminal = open_terminal()
    terminal.wait_for("Question")
    terminal.send(f"{QUESTION}\r")
    terminal.wait_for("tokens/s")
    terminal.send(CONTROL_N)
    terminal.wait_for("Ask a rules question below")
    terminal.send(F6)
    terminal.wait_for("1 turn")
    terminal.send("\r")
    terminal.wait_for("small model's draft")
    terminal.send("And with deathtouch?\r")
    terminal.wait_for("tokens/s")
    terminal.send(F6)
    terminal.wait_for("2 turns")


def test_a_window_made_too_small_says_so_and_gives_everything_back(
    engine_home: Paths, open_terminal: Any
) -> None:
    terminal = open_terminal()
    terminal.wait_for("Question")
    terminal.send("mossy words")
    terminal.wait_for("mossy words")
    terminal.resize(30, 9)
    terminal.wait_for("Hexcore needs 40 columns")
    terminal.resize(60, 20)
    terminal.wait_for("mossy words")
    terminal.send(" and more")
    terminal.wait_for("mossy words and more")


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (60, 20), (40, 12)])
def test_a_small_terminal_shows_question_answer_and_keys(
    engine_home: Paths, open_terminal: Any, columns: int, rows: int
) -> None:
    terminal = open_terminal(columns=columns, rows=rows)
    terminal.wait_for("Question")
    terminal.send(f"{QUESTION}\r")
    text = terminal.wait_for("tokens/s")
    assert "Quit" in text
    assert "Help" in text


def test_escape_stops_a_running_answer(engine_home: Paths, open_terminal: Any) -> None:
    terminal = open_terminal(HEXCORE_SCRIPTED_TEXT=_words(3000), HEXCORE_ANSWER_MAX_TOKENS="3000")
    terminal.wait_for("Question")
    terminal.send(f"{QUESTION}\r")
    terminal.wait_for("word12")
    terminal.send(ESCAPE)
    terminal.wait_for("Stopped. What was written is kept.")


def test_the_app_ends_with_its_terminal_when_another_program_started_it(
    engine_home: Paths, open_terminal: Any
) -> None:
    # The kernel tells the first process of a session only; as make does, this one waits for its child.
    terminal = open_terminal(argv=("sh", "-c", f"trap : HUP; {sys.executable} -m hexcore_tui; exit 7"))
    terminal.wait_for("Question")
    terminal.hang_up()
    assert terminal.wait_for_exit() == 7


def test_a_dropped_line_ends_the_app_and_the_engine_finishes_the_answer(
    engine_home: Paths, open_terminal: Any
) -> None:
    terminal = open_terminal(HEXCORE_SCRIPTED_TEXT=f"{_words(200)} finished", HEXCORE_ANSWER_MAX_TOKENS="300")
    terminal.wait_for("Question")
    terminal.send(f"{QUESTION}\r")
    terminal.wait_for("word12")
    terminal.hang_up()
    assert terminal.wait_for_exit() == 0
    deadline = time.monotonic() + 20
    while (turn := _stored_turn(engine_home)) is None or turn.stop_reason is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert turn.stop_reason == "end"
    assert "finished" in turn.response


def test_no_hostile_byte_of_question_model_card_or_rule_reaches_the_terminal(
    engine_home: Paths, open_terminal: Any, tmp_path: Path
) -> None:
    folder = engine_home.knowledge_dir
    rules = tmp_path / "rules.txt"
    # The importer refuses what is mostly controls, so the plain text around them is long.
    rules.write_text(RULES.replace("HOSTILE", HOSTILE) + "A lantern glows.\n" * 2000, "utf-8")
    import_rules_file(folder, rules)
    face = CARDS[0].faces[0]
    evil_face = type(face)(face.name, face.mana_cost, f"Giant {HOSTILE}", f"Trample {HOSTILE}", "6", "6")
    evil = type(CARDS[0])(
        CARDS[0].name, "normal", 6, ("G",), ("G",), ("Trample",), (evil_face,), source=HOSTILE
    )
    with import_lock(folder):
        publish_cards(folder, lambda file: write_cards(file, (evil,), CardsSource(HOSTILE, None, 1)))
    terminal = open_terminal(
        HEXCORE_SCRIPTED_TEXT=f"Model says {HOSTILE} [100.1a] done.", columns=100, rows=40
    )
    terminal.wait_for("Question")
    terminal.send(f"\x1b[200~Gravelmaw Titan lantern damage blocker {HOSTILE.replace(ESCAPE, '')}\x1b[201~\r")
    terminal.wait_for("tokens/s")
    terminal.wait_for("[bold red]loud[/]")
    for screen, seen in (
        ("\x1bOQ", "Question"),
        (TAB, "Enter Open"),
        ("\r", "Esc Close"),
        ("\x1bOR", "Cards"),
        ("\x1bOS", "Rules"),
    ):
        terminal.send(screen)
        terminal.wait_for(seen)
    terminal.send("100.1")
    terminal.wait_for("keeper is awake")
    written = terminal.raw.decode("utf-8", "replace")
    assert [sequence for sequence in FORBIDDEN if sequence in written] == []


def test_the_demo_writes_the_same_picture_every_time(tmp_path: Path, open_terminal: Any) -> None:
    pictures = []
    for name in ("one.svg", "two.svg"):
        file = tmp_path / name
        assert open_terminal("--demo", "--screenshot", str(file)).wait_for_exit(timeout_s=60) == 0
        pictures.append(file.read_text("utf-8"))
    assert pictures[0] == pictures[1]
    assert "702.2c" in pictures[0]


def test_tab_and_enter_typed_at_once_open_the_newest_evidence(open_terminal: Any) -> None:
    terminal = open_terminal("--demo", columns=100, rows=30)
    terminal.wait_for("Gravelmaw Titan gains deathtouch", timeout_s=60)
    terminal.send("\r")
    terminal.wait_for("tokens/s")
    terminal.send(f"{TAB}\r")
    terminal.wait_for("Esc Close")
    terminal.send(CONTROL_Q)
    assert terminal.wait_for_exit() == 0


def test_the_demo_opens_with_a_question_ready_to_ask(open_terminal: Any) -> None:
    terminal = open_terminal("--demo")
    terminal.wait_for("Gravelmaw Titan gains deathtouch", timeout_s=60)
    terminal.send("\r")
    terminal.wait_for("One damage is enough")
    terminal.send(CONTROL_Q)
    assert terminal.wait_for_exit() == 0


def test_up_and_enter_typed_at_once_ask_the_earlier_question_and_not_the_draft(
    engine_home: Paths, open_terminal: Any
) -> None:
    terminal = open_terminal(columns=110, rows=30)
    terminal.wait_for("Question")
    ask_then_begin_anew(terminal, QUESTION)
    terminal.send(f"draft{UP}\r")
    terminal.wait_for(lambda text: f"› {QUESTION}" in text and "› draft" not in text)
    terminal.wait_for("tokens/s")
