"""Six programs on one home at once, command lines and apps: one engine, and nothing lost."""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.data.card_files import import_cards
from hexcore_engine.data.progress import QuietProgress
from hexcore_engine.data.rules_files import import_and_keep
from hexcore_engine.paths import Paths
from tests.conftest import living_below
from tests.integration.data import test_card_import_faults as card_imports
from tests.integration.data import test_rules_import_faults as rules_imports
from tests.integration.parts import Run
from tests.integration.tui.conftest import PROGRAM, Terminal
from tests.torture.tally import Tally, scaled

pytestmark = pytest.mark.torture

NUM_ROUNDS = 12
WORDS = ("ember", "willow")
LAST_WORDS = "one step after the other"
NEW_KEY, QUIT_KEY = "\x0e", "\x11"
WAIT_S = 120


class Work:
    """What the programs did, and what came of it; each list is written by one thread."""

    def __init__(self, paths: Paths, hexcore: Run, tally: Tally) -> None:
        self.paths, self.tally = paths, tally
        self.kept: dict[str, str] = {}
        self.deleted: set[str] = set()
        self.typed: list[str] = []
        self.engines: set[int] = set()
        self._hexcore = hexcore
        self._lock = threading.Lock()

    def command(self, *words: str) -> dict[str, Any]:
        """Run a command; anything but success is lost."""
        done = self._hexcore(*words, "--json", timeout=WAIT_S)
        with self._lock:
            self.tally.tried(f"hexcore {words[0]}")
            self.tally.expect(done.returncode == 0, f"{words}: {done.stdout[:300]} {done.stderr[-300:]}")
            self.engines |= engines_of(self.paths)
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def ask(self, name: str) -> None:
        """Ask again and again."""
        for number in range(scaled(NUM_ROUNDS)):
            answer = self.command("ask", f"Does lantern {number} of {name} glow?")
            self.kept[answer["metadata"]["session_id"]] = answer["response"]

    def ask_and_delete(self) -> None:
        """Ask, and delete what was said; half of it is brought back."""
        for number in range(scaled(NUM_ROUNDS) // 2):
            answer = self.command("ask", f"Is number {number} forgotten?")
            session_id = answer["metadata"]["session_id"]
            self.command("sessions", "delete", session_id)
            self.deleted.add(session_id)
            if number % 2:
                self.command("sessions", "undelete", session_id)
                self.deleted.discard(session_id)
                self.kept[session_id] = answer["response"]

    def import_both(self, files: list[Path]) -> None:
        """Import rules and cards in turn."""
        for number in range(scaled(NUM_ROUNDS) // 2):
            self.command("data", "import", str(files[number % len(files)]))

    def type_into_app(self, name: str) -> None:
        """Ask in the app, on a terminal of its own."""
        environment = os.environ | {"TERM": "xterm-256color"}
        terminal = Terminal(PROGRAM, environment, 100, 30)
        try:
            terminal.wait_for("Question", WAIT_S)
            for number in range(scaled(NUM_ROUNDS) // 4):
                question = f"Does app {name} glow at {number}?"
                terminal.send(f"{question}\r")
                self.typed.append(question)
                terminal.wait_for(finished, WAIT_S)
                terminal.send(NEW_KEY)
                terminal.wait_for("Ask a rules question below", WAIT_S)
                with self._lock:
                    self.tally.tried("questions typed into an app")
            terminal.send(QUIT_KEY)
            self.tally.expect(terminal.wait_for_exit(WAIT_S) == 0, f"app {name} ended badly")
        finally:
            terminal.close()


def finished(text: str) -> bool:
    """Whether the app shows a whole answer."""
    return LAST_WORDS in " ".join(text.split()) and "tokens/s" in text


def engines_of(paths: Paths) -> set[int]:
    """Engines of a home that hold its lock."""
    found = (process for process in living_below(str(paths.home)))
    return {p.pid for p in found if "service.process" in " ".join(p.cmdline()) and p.num_threads() > 2}


@pytest.fixture
def work(scripted_home: Paths, hexcore: Run, monkeypatch: pytest.MonkeyPatch, tally: Tally) -> Work:
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", "300")
    return Work(scripted_home, hexcore, tally)


def at_once(jobs: list[Callable[[], None]], tally: Tally) -> None:
    """Run jobs in threads; what one raises is lost."""

    def run(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:
            tally.lost(f"{error!r}"[:1500])

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_six_programs_at_once_share_one_engine_and_lose_nothing(
    work: Work, hexcore: Run, tmp_path: Path, chance: random.Random, tally: Tally
) -> None:
    paths = work.paths
    cards = {word: card_imports.many_cards(tmp_path / f"{word}.json", word) for word in WORDS}
    day = "January 1, 2025"
    rules = {word: rules_imports.release_of(tmp_path / f"{word}.txt", word, day) for word in WORDS}
    import_cards(paths, cards["ember"], QuietProgress())
    import_and_keep(paths, rules["ember"])
    files = [cards["willow"], rules["willow"], cards["ember"], rules["ember"]]
    jobs: list[Callable[[], None]] = [
        lambda: work.ask("one"),
        lambda: work.ask("two"),
        work.ask_and_delete,
        lambda: work.import_both(files),
        lambda: work.type_into_app("one"),
        lambda: work.type_into_app("two"),
    ]
    chance.shuffle(jobs)
    at_once(jobs, tally)
    tally.expect(len(work.engines) == 1, f"engines seen: {work.engines}")
    card_imports.assert_whole(paths.knowledge_dir, set(WORDS))
    rules_imports.assert_whole(paths, set(WORDS))
    check_conversations(work, hexcore, tally)
    tally.expect(hexcore("engine", "stop").returncode == 0, "the engine did not stop")
    tally.expect(not living_below(str(paths.home)), "a process is left")


def check_conversations(work: Work, hexcore: Run, tally: Tally) -> None:
    """All that was asked is there once, as it was told; all that was deleted is not."""
    listed = json.loads(hexcore("sessions", "--json").stdout)["sessions"]
    ids = [entry["session_id"] for entry in listed]
    tally.expect(len(ids) == len(set(ids)), "a conversation is listed twice")
    tally.expect(not work.deleted & set(ids), "what was deleted is listed")
    for session_id, response in work.kept.items():
        tally.expect(session_id in ids, f"{session_id} is not listed")
        shown = json.loads(hexcore("sessions", "show", session_id, "--json").stdout)
        tally.expect([turn["response"] for turn in shown["turns"]] == [response], f"{session_id} differs")
    said = [
        turn["question"]
        for entry in listed
        if entry["session_id"] not in work.kept
        for turn in json.loads(hexcore("sessions", "show", entry["session_id"], "--json").stdout)["turns"]
    ]
    tally.expect(sorted(said) == sorted(work.typed), f"typed {work.typed}, stored {said}")
