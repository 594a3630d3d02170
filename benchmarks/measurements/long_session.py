"""A long conversation in the app: opening it, typing into it while an answer streams, the bytes a slow line
gets, and the memory of the screen's process.

The conversations are written into the sessions file beforehand; answers come from the scripted decoder. The
key's time counts from the press until the letter stands on the terminal, once with an answer streaming at 100
tokens/s below a conversation of 20,000 tokens, once with nothing streaming.
"""

from __future__ import annotations

import itertools
import re
import statistics
import sys
import time
from pathlib import Path

import psutil

from benchmarks import programs
from benchmarks.harness import Bench, Target, percentile
from benchmarks.homes import environment, warm_home
from benchmarks.measurements.streaming import long_answer
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.records import Passage
from hexcore_engine.sessions.store import SessionStore
from tests.integration.tui.conftest import PROGRAM, Terminal

TARGETS = (
    Target("opening 1,000 messages", 150, "ms"),
    Target("key while streaming / key while idle", 2.0),
    Target("bytes over SSH / one update a token", 0.4),
    Target("memory after 50 questions", 120, "MB"),
)
NUM_TURNS = 500
# 20,000 tokens, at about four letters each.
LONG_CHARACTERS = 80_000
ANSWER_TOKENS = 500
WORDS_PER_S = "80"
NAIVE = (sys.executable, str(Path(programs.__file__).with_name("per_token_app.py")))
PAGE_UP, DOWN = "\x1b[5~", "\x1b[B"
# Newest first.
TITLES = ("Many words", "Many turns")
F6, NEW, BACKSPACE, QUIT = "\x1b[17~", "\x0e", "\x7f", "\x11"
KEYS = "qxzjvkwy"


def measure(bench: Bench) -> dict[str, float]:
    """Prepare the conversations, then take the four in turn."""
    with warm_home(bench, "long") as paths:
        write_conversations(paths)
        opening, idle, streaming = open_and_type(bench, paths)
    with warm_home(bench, "bytes") as paths:
        batched, naive = answer_bytes(paths), naive_bytes(paths)
    with warm_home(bench, "memory") as paths:
        early, late, later = memory_of_questions(bench, paths)
    return {
        "opening 1,000 messages": statistics.median(opening),
        "key while streaming / key while idle": percentile(streaming, 99) / percentile(idle, 99),
        "bytes over SSH / one update a token": batched / naive,
        "memory after 50 questions": late,
        "memory at the start, MB": early,
        "memory after as many again, MB": later,
        "key while streaming, p99, ms": percentile(streaming, 99),
        "key while streaming, median, ms": statistics.median(streaming),
        "key while idle, p99, ms": percentile(idle, 99),
        "bytes over SSH": batched,
        "bytes with one update a token": naive,
    }


def write_conversations(paths: Paths) -> None:
    """Write one conversation of 1,000 messages and, newer, one whose answers are 20,000 tokens."""
    passages = some_passages(paths)
    store = SessionStore(paths.sessions_file)
    text = long_answer()
    sent = "\n".join(passage.text for passage in passages)
    for title, num_turns, answer in (
        ("Many turns", NUM_TURNS, text[:400]),
        ("Many words", 10, (text * (LONG_CHARACTERS // 10 // len(text) + 1))[: LONG_CHARACTERS // 10]),
    ):
        session = store.create(title)
        for number in range(num_turns):
            turn = store.begin_turn(session, f"{title}, question {number}?")
            store.update_turn(
                turn, passages=passages, response=answer, stop_reason="end", model="scripted", sent=sent
            )
    store.close()


def some_passages(paths: Paths) -> tuple[Passage, ...]:
    """Evidence as long as it usually is."""
    knowledge = Knowledge(paths.knowledge_dir)
    try:
        hits = knowledge.search_rules("damage trample blocker", 8)
        numbers = [hit.rule.number for hit in hits]
        texts = [hit.rule.text for hit in hits]
    finally:
        knowledge.close()
    return tuple(
        Passage("rule", number, "Rule", text, "the words match", "rules")
        for number, text in zip(numbers, texts, strict=True)
    )


def open_and_type(bench: Bench, paths: Paths) -> tuple[list[float], list[float], list[float]]:
    """Return the ms of opening, of keys while idle and of keys while an answer streams."""
    terminal = open_app(paths, HEXCORE_SCRIPTED_RATE="100", HEXCORE_SCRIPTED_TEXT=long_answer())
    try:
        opening = [open_session(terminal, "Many turns") for _ in range(bench.rounds(7))]
        open_session(terminal, "Many words")
        rounds = bench.rounds(25, quick=3)
        idle = [key_ms(terminal, key) for key in itertools.islice(itertools.cycle(KEYS), 4 * rounds)]
        streaming: list[float] = []
        for number in range(4):
            ask(terminal, f"Explain at length number {number}")
            terminal.wait_for("Answering", timeout_s=60)
            keys = itertools.islice(itertools.cycle(KEYS), rounds)
            streaming += [key_ms(terminal, key) for key in keys if "Answering" in terminal.text]
            terminal.send("\x1b")
            terminal.wait_for(lambda text: "Esc stops" not in text and "Stopping" not in text)
    finally:
        close_app(terminal)
    return opening, idle, streaming


def open_session(terminal: Terminal, title: str) -> float:
    """Open a conversation from the list and return the ms until its end stands on the screen."""
    terminal.send(NEW)
    terminal.wait_for("Ask a rules question below")
    terminal.send(F6)
    terminal.wait_for(title)
    terminal.send(PAGE_UP + DOWN * TITLES.index(title))
    started = time.monotonic()
    terminal.send("\r")
    terminal.wait_for("Rests on")
    return (time.monotonic() - started) * 1000


def key_ms(terminal: Terminal, key: str) -> float:
    """Type a letter and return the ms until the question field shows it; then take it back."""
    started = time.monotonic()
    terminal.send(key)
    terminal.wait_for(lambda _: prompt_text(terminal) == key)
    took = (time.monotonic() - started) * 1000
    terminal.send(BACKSPACE)
    terminal.wait_for(lambda _: prompt_text(terminal) != key)
    return took


def prompt_text(terminal: Terminal) -> str:
    """Return the first line of the question field, "" while a half-drawn screen has no field."""
    lines = terminal.text.splitlines()
    borders = (number for number, line in enumerate(lines[:-1]) if "mode auto" in line and "─" in line)
    place = next(borders, None)
    return "" if place is None else lines[place + 1].strip(" │")


def ask(terminal: Terminal, question: str) -> None:
    """Ask in the chat."""
    terminal.send(f"{question}\r")


def answer_bytes(paths: Paths) -> int:
    """Return the bytes a slow line gets for an answer of 500 tokens."""
    terminal = open_app(
        paths,
        HEXCORE_SCREEN_PROFILE="ssh",
        HEXCORE_SCRIPTED_RATE=WORDS_PER_S,
        HEXCORE_SCRIPTED_TEXT=answer_of(ANSWER_TOKENS),
    )
    try:
        ask(terminal, "Explain trample")
        terminal.wait_for("Answering", timeout_s=60)
        before = len(terminal.raw)
        terminal.wait_for("tokens/s", timeout_s=60)
        return len(terminal.raw) - before
    finally:
        close_app(terminal)


def naive_bytes(paths: Paths) -> int:
    """Return the bytes of the same text, updated with every token."""
    variables = {"HEXCORE_SCRIPTED_TEXT": answer_of(ANSWER_TOKENS), "COLUMNS": ""}
    terminal = Terminal([*NAIVE, WORDS_PER_S], environment(paths) | variables, 100, 32)
    try:
        terminal.wait_for("All shown", timeout_s=60)
        return len(terminal.raw)
    finally:
        close_app(terminal)


def answer_of(num_tokens: int) -> str:
    """Our own words, as many as an answer has tokens."""
    pieces = itertools.cycle(re.findall(r"\S+\s*", long_answer() + "\n\n"))
    return "".join(itertools.islice(pieces, num_tokens))


def memory_of_questions(bench: Bench, paths: Paths) -> tuple[float, float, float]:
    """Return the MB of the screen's process at the start, after 50 questions, and after 50 more."""
    terminal = open_app(paths, HEXCORE_SCRIPTED_RATE="100000")
    process = psutil.Process(terminal.pid)
    figures = [process.memory_info().rss / 1e6]
    rounds = bench.rounds(50, quick=2)
    try:
        for number in range(2 * rounds):
            ask(terminal, f"Does trample number {number} count?")
            terminal.wait_for(f"number {number} count?")
            terminal.wait_for(lambda text: "Esc stops" not in text and "tokens/s" in text)
            if number + 1 in (rounds, 2 * rounds):
                figures.append(process.memory_info().rss / 1e6)
    finally:
        close_app(terminal)
    return figures[0], figures[1], figures[2]


def open_app(paths: Paths, **variables: str) -> Terminal:
    """Open the app with the scripted model and wait until it knows it."""
    ours = {"HEXCORE_MODEL_PATH": "scripted", "HEXCORE_ANSWER_MAX_TOKENS": "3000", "COLUMNS": ""}
    terminal = Terminal([*PROGRAM], environment(paths, **ours, **variables), 100, 32)
    terminal.wait_for("scripted", timeout_s=60)
    return terminal


def close_app(terminal: Terminal) -> None:
    """Leave."""
    terminal.send(QUIT)
    terminal.wait_for_exit()
    terminal.close()
