"""Engines and imports that are killed at any moment: what was written is kept, and nobody is kept out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hexcore_engine.client.client import EngineClient
from hexcore_engine.data.card_files import import_cards
from hexcore_engine.data.progress import QuietProgress
from hexcore_engine.data.rules_files import import_and_keep
from hexcore_engine.errors import EngineLostError
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events, requests
from hexcore_engine.protocol.records import EngineRecord, TurnRecord
from hexcore_engine.settings import Settings
from tests.conftest import living_below, paths_of
from tests.integration.data import test_card_import_faults as card_imports
from tests.integration.data import test_rules_import_faults as rules_imports
from tests.integration.parts import HEXCORE, QUESTION, answer_to, until
from tests.torture.tally import Tally, scaled

pytestmark = pytest.mark.torture

NUM_KILLS = 100
NUM_IMPORT_KILLS = 20
NUM_WORDS = 120
RATE = 120
# When a kill comes after the question was sent: before the first word, in the middle, after the last.
LATEST_KILL_S = 1.3
DEADLINE_S = 120
TEXT = " ".join(f"word{number}" for number in range(NUM_WORDS)) + "."


class Conversation:
    """One conversation, and what its clients saw of it."""

    def __init__(self, paths: Paths, tally: Tally) -> None:
        self.paths = paths
        self.tally = tally
        self.session_id: str | None = None
        # Question -> the text its client had read when the engine ended.
        self.seen: dict[str, str] = {}
        self.finished: dict[str, str] = {}

    async def killed_after(self, question: str, seconds: float) -> None:
        """Ask, and kill the engine so many seconds later."""
        client = await EngineClient.connect(self.paths, Settings())
        killing = asyncio.create_task(kill_after(client.welcome.pid, seconds))
        request = requests.AskQuestion(question, session_id=self.session_id)
        self.seen[question] = ""
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._read(question, client.stream(request))
        except EngineLostError:
            self.tally.tried("answers cut off")
        await killing
        await client.close()

    async def _read(self, question: str, stream: AsyncIterator[events.Event]) -> None:
        async for event in stream:
            if isinstance(event, events.QuestionAccepted):
                self.session_id = event.session_id
            elif isinstance(event, events.TextStreamed):
                self.seen[question] += event.text
            elif isinstance(event, events.AnswerOutcome):
                self.finished[question] = event.response

    async def check(self) -> None:
        """Ask one more question, and compare all that is stored with what was seen."""
        client = await EngineClient.connect(self.paths, Settings())
        question = f"And then, number {len(self.seen)}?"
        async with asyncio.timeout(DEADLINE_S):
            outcome = await answer_to(client, question, session_id=self.session_id, max_tokens=3)
            opened = await client.call(requests.OpenSession(self.session_id or "last"))
        self.seen[question], self.finished[question] = outcome.response, outcome.response
        assert isinstance(opened, events.SessionOpened)
        self.compare(opened.turns)
        await client.close()

    def compare(self, turns: tuple[TurnRecord, ...]) -> None:
        stored = {turn.question: turn for turn in turns}
        self.tally.expect(len(stored) == len(turns), "a question is stored twice")
        for question, seen in self.seen.items():
            turn = stored.get(question)
            if turn is None:
                # Killed before it was accepted.
                self.tally.expect(not seen, f"{question!r} is not stored, and {len(seen)} signs were seen")
            elif question in self.finished:
                self.tally.expect(turn.response == self.finished[question], f"{question!r}: another answer")
            else:
                self._compare_part(turn, seen)

    def _compare_part(self, turn: TurnRecord, seen: str) -> None:
        self.tally.expect(turn.stop_reason == "engine_lost", f"{turn.question!r} ended by {turn.stop_reason}")
        self.tally.expect(
            TEXT.startswith(turn.response.strip()), f"{turn.question!r}: other words are stored"
        )
        # Stored every quarter of a second, so at most what was written since may be missing.
        missing = len(seen.split()) - len(turn.response.split())
        self.tally.expect(missing <= RATE, f"{turn.question!r}: {missing} words that were seen are missing")


async def kill_after(pid: int, seconds: float) -> None:
    await asyncio.sleep(seconds)
    os.kill(pid, signal.SIGKILL)


async def test_an_engine_killed_at_any_moment_costs_no_conversation_and_no_next_question(
    scripted_home: Paths, monkeypatch: pytest.MonkeyPatch, chance: random.Random, tally: Tally
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", TEXT)
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", str(RATE))
    conversation = Conversation(scripted_home, tally)
    for number in range(scaled(NUM_KILLS)):
        if number % 10 == 0:
            conversation = Conversation(scripted_home, tally)
        await conversation.killed_after(f"{QUESTION} ({number})", chance.uniform(0, LATEST_KILL_S))
        tally.tried("kills of an engine")
        if number % 2:
            await conversation.check()
    listed = scripted_home.run_dir.iterdir()
    names = {file.name for file in listed}
    tally.expect(names <= {"e.sock", "engine.lock", "start.lock"}, f"left in the run folder: {names}")


def test_an_engine_killed_while_it_starts_keeps_nobody_out(
    scripted_home: Paths, chance: random.Random, tally: Tally
) -> None:
    for _ in range(scaled(20)):
        command = [*HEXCORE, "engine", "start"]
        starting = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.1, 0.7))
        for pid in engine_pids(scripted_home):
            os.kill(pid, signal.SIGKILL)
        starting.kill()
        starting.wait(DEADLINE_S)
        tally.tried("kills of a start")
    for pid in engine_pids(scripted_home):
        os.kill(pid, signal.SIGKILL)
    done = subprocess.run(
        [*HEXCORE, "ask", QUESTION, "--max-tokens", "3"],
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
    )
    tally.expect(done.returncode == 0, f"the next question failed: {done.stderr!r}")


def engine_pids(paths: Paths) -> list[int]:
    """The engines of this home."""
    return [
        process.pid
        for process in living_below(str(paths.home))
        if "hexcore_engine.service.process" in " ".join(process.cmdline())
    ]


def test_an_import_killed_at_any_moment_leaves_old_or_new(
    tmp_path: Path, chance: random.Random, tally: Tally
) -> None:
    paths = paths_of(tmp_path / "home")
    words = ("ember", "willow")
    cards = {word: card_imports.many_cards(tmp_path / f"{word}.json", word) for word in words}
    rules = {
        word: rules_imports.release_of(tmp_path / f"{word}.txt", word, "January 1, 2025") for word in words
    }
    import_cards(paths, cards["ember"], QuietProgress())
    import_and_keep(paths, rules["ember"])
    takes_s = time_of(paths_of(tmp_path / "another"), cards["willow"], rules["willow"])
    killed = 0
    for number in range(scaled(NUM_IMPORT_KILLS)):
        kind = number % 2
        file = (cards, rules)[kind][chance.choice(words)]
        process = rules_imports.start_import(paths.home, file)
        time.sleep(chance.uniform(0.15, 1.05) * takes_s[kind])
        process.send_signal(signal.SIGKILL)
        killed += process.wait(DEADLINE_S) == -signal.SIGKILL
        tally.tried("kills of an import")
        card_imports.assert_whole(paths.knowledge_dir, set(words))
        rules_imports.assert_whole(paths, set(words))
    tally.note(f"{killed} of them in the middle of it")
    for file in (cards["willow"], rules["willow"]):
        tally.expect(
            rules_imports.start_import(paths.home, file).wait(DEADLINE_S) == 0, f"{file.name} failed"
        )
    left = [file.name for file in paths.home.rglob("*.new*")]
    tally.expect(not left, f"half-built files are left: {left}")


def time_of(paths: Paths, *files: Path) -> list[float]:
    """Seconds each import takes, unhurt."""
    taken = []
    for file in files:
        started = time.monotonic()
        assert rules_imports.start_import(paths.home, file).wait(DEADLINE_S) == 0
        taken.append(time.monotonic() - started)
    return taken


async def status_of(client: EngineClient) -> EngineRecord:
    reported = await client.call(requests.EngineStatus())
    assert isinstance(reported, events.EngineReported)
    return reported.status


async def test_a_client_killed_at_any_moment_leaves_the_engine_to_finish(
    scripted_home: Paths, monkeypatch: pytest.MonkeyPatch, chance: random.Random, tally: Tally
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", str(RATE))
    client = await EngineClient.connect(scripted_home, Settings())
    for number in range(scaled(20)):
        process = await asyncio.create_subprocess_exec(
            *HEXCORE, "ask", f"Does {number} glow?", stdout=asyncio.subprocess.DEVNULL
        )
        await asyncio.sleep(chance.uniform(0.1, 1.5))
        # It may have been told everything by now.
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        tally.tried("kills of a client")

    async def is_idle() -> bool:
        return not (await status_of(client)).busy

    await until(is_idle, DEADLINE_S)
    listed = await client.call(requests.ListSessions())
    assert isinstance(listed, events.SessionsListed)
    for entry in listed.sessions:
        opened = await client.call(requests.OpenSession(entry.session_id))
        assert isinstance(opened, events.SessionOpened)
        reasons = [turn.stop_reason for turn in opened.turns]
        tally.expect(reasons == ["end"], f"{entry.title!r} ended by {reasons}")
    await client.close()
