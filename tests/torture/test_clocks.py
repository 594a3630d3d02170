"""A wall clock that jumps under a running engine, and files from the future: durations come from the clock
that never jumps, and nothing is out of order, locked out or lost."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hexcore_engine.client.client import EngineClient
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events, requests
from hexcore_engine.protocol.records import EngineRecord
from hexcore_engine.settings import Settings
from tests.integration.parts import QUESTION, Run
from tests.torture.tally import Tally, scaled

pytestmark = pytest.mark.torture

DAY_S = 86_400
JUMPS_S = (DAY_S, -DAY_S, 10 * 365 * DAY_S, -10 * 365 * DAY_S, 3600, -3600, 0)
SOURCE = Path(__file__).with_name("faketime.c")
DEADLINE_S = 30


@pytest.fixture
def moved_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Programs started from here on see a wall clock moved by the seconds this file holds."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("moving a program's clock takes Linux and a C compiler")
    library, file = tmp_path / "faketime.so", tmp_path / "seconds"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
    file.write_text("0")
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("HEXCORE_CLOCK_FILE", str(file))
    read = "import time; print(round(time.time()))"
    file.write_text("1000000")
    seen = int(subprocess.run([sys.executable, "-c", read], capture_output=True, check=True).stdout)
    assert abs(seen - time.time() - 1_000_000) < 100
    file.write_text("0")
    yield file
    # An engine of this home must not be left with a clock of its own.
    file.write_text("0")


def move(clock: Path, seconds: int) -> None:
    """Let the programs under that clock see it so far away from now on."""
    clock.write_text(str(seconds))


async def status_of(client: EngineClient) -> EngineRecord:
    reported = await client.call(requests.EngineStatus())
    assert isinstance(reported, events.EngineReported)
    return reported.status


async def test_a_wall_clock_that_jumps_during_answers_changes_no_duration_and_no_order(
    scripted_home: Paths,
    moved_clock: Path,
    monkeypatch: pytest.MonkeyPatch,
    chance: random.Random,
    tally: Tally,
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", "40")
    # An engine that took the jump for idleness would leave.
    monkeypatch.setenv("HEXCORE_ENGINE_IDLE_MINUTES", "30")
    client = await EngineClient.connect(scripted_home, Settings())
    asked: list[str] = []
    for number in range(scaled(14)):
        started = time.monotonic()
        stream = client.stream(requests.AskQuestion(f"{QUESTION} ({number})"))
        moved = False
        async with asyncio.timeout(DEADLINE_S):
            async for event in stream:
                if isinstance(event, events.TextStreamed) and not moved:
                    move(moved_clock, JUMPS_S[number % len(JUMPS_S)] + chance.randrange(60))
                    moved = True
                    tally.tried("jumps of the clock during an answer")
        took_s = time.monotonic() - started
        assert isinstance(event, events.AnswerOutcome)
        asked.append(event.session_id)
        tally.expect(event.stop_reason == "end", f"answer {number} ended by {event.stop_reason}")
        usage = event.usage
        plausible = usage is not None and 0 <= (usage.ttft_ms or 0) <= took_s * 1000 + 50
        tally.expect(plausible, f"answer {number} of {took_s:.1f} s says {usage}")
        status = await status_of(client)
        tally.expect(0 <= status.uptime_s < 600, f"up for {status.uptime_s} s")
    listed = await client.call(requests.ListSessions())
    assert isinstance(listed, events.SessionsListed)
    order = [entry.session_id for entry in listed.sessions]
    tally.expect(order == asked[::-1], "conversations are listed in another order than they were had")
    await client.close()


async def test_deleted_conversations_come_back_in_order_whatever_the_clock_said(
    scripted_home: Paths, moved_clock: Path, monkeypatch: pytest.MonkeyPatch, tally: Tally
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", "0")
    client = await EngineClient.connect(scripted_home, Settings())
    deleted = []
    for number, jump in enumerate(JUMPS_S):
        request = requests.AskQuestion(f"Does {number} glow?")
        outcome = [event async for event in client.stream(request)][-1]
        assert isinstance(outcome, events.AnswerOutcome)
        move(moved_clock, jump)
        await client.call(requests.DeleteSession(outcome.session_id))
        deleted.append(outcome.session_id)
        tally.tried("deletions under a jumping clock")
    for expected in deleted[::-1]:
        changed = await client.call(requests.DeleteSession("last", undo=True))
        assert isinstance(changed, events.SessionChanged)
        tally.expect(changed.session_id == expected, "another conversation came back")
    await client.close()


def test_files_and_starts_from_the_future_and_the_past_are_read_as_ever(
    scripted_home: Paths, moved_clock: Path, hexcore: Run, tally: Tally
) -> None:
    for jump in JUMPS_S:
        move(moved_clock, jump)
        moment = time.time() + jump
        for file in scripted_home.home.rglob("*"):
            if file.is_file():
                os.utime(file, (moment, moment))
        done = hexcore("ask", QUESTION, "--json", "--max-tokens", "3")
        tally.tried("questions with files of another time")
        tally.expect(done.returncode == 0, f"{jump} s: {done.stdout[:300]}{done.stderr[-300:]}")
        for words in (("rule", "702.2c"), ("data", "status"), ("doctor",), ("sessions",)):
            done = hexcore(*words, "--json")
            tally.tried("commands with files of another time")
            tally.expect("Traceback" not in done.stderr, f"{jump} s, {words}: {done.stderr[-300:]}")
            tally.expect(done.returncode in (0, 1), f"{jump} s, {words}: {done.stdout[:300]}")
        tally.expect(hexcore("engine", "stop").returncode == 0, f"{jump} s: the engine did not stop")
