"""Engines that are killed, told to leave, cut off from their terminal, or of another version."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import hexcore_engine
from hexcore_engine.client.client import EngineClient
from hexcore_engine.client.engine_process import is_listening, start_engine
from hexcore_engine.client.run_folder import ensure_run_folder
from hexcore_engine.client.supervisor import Stopped, engine_status, stop_engine
from hexcore_engine.client.transports import connect_socket
from hexcore_engine.errors import EngineLostError, EngineUnreachableError
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events, requests
from hexcore_engine.settings import Settings
from hexcore_engine.utils.locks import is_held, try_lock
from tests.integration.parts import (
    ENGINE,
    HEXCORE,
    QUESTION,
    SLOW_TEXT,
    Run,
    answer_to,
    ask,
    has_ended,
    until,
    wait_until,
)

pytestmark = pytest.mark.slow


@contextmanager
def innocent_process() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the user's that is no engine."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        yield process
    finally:
        process.communicate(b"\n")


async def first_turn(client: EngineClient, session_id: str):  # type: ignore[no-untyped-def]
    opened = await client.call(requests.OpenSession(session_id))
    assert isinstance(opened, events.SessionOpened)
    return opened.turns[0]


async def test_a_killed_engine_keeps_the_part_and_the_next_question_starts_another(
    scripted_home: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", SLOW_TEXT)
    client = await EngineClient.connect(scripted_home, Settings())
    asked = await ask(client)

    async def is_stored() -> bool:
        return len((await first_turn(client, asked.session_id)).response) > 20

    await until(is_stored)
    os.kill(client.welcome.pid, signal.SIGKILL)
    with pytest.raises(EngineLostError) as raised:
        await asked.outcome()
    assert "Ask again" in raised.value.remedy
    await client.close()
    monkeypatch.delenv("HEXCORE_SCRIPTED_TEXT")
    again = await EngineClient.connect(scripted_home, Settings())
    assert again.welcome.pid != client.welcome.pid
    turn = await first_turn(again, asked.session_id)
    assert turn.stop_reason == "engine_lost"
    assert turn.response.startswith("The rule is")
    follow_up = await answer_to(again, session_id="last")
    assert follow_up.session_id == asked.session_id
    assert follow_up.stop_reason == "end"
    await again.close()


def test_an_engine_killed_in_mid_answer_leaves_the_part_in_json_and_in_sessions(
    scripted_home: Paths, hexcore: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", SLOW_TEXT)
    asking = subprocess.Popen(
        [*HEXCORE, "ask", QUESTION, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )

    def pid_in_mid_answer() -> int | None:
        status = asyncio.run(engine_status(scripted_home))
        return status.pid if status is not None and status.generated_tokens > 20 else None

    os.kill(wait_until(pid_in_mid_answer) or 0, signal.SIGKILL)
    out, err = asking.communicate(timeout=20)
    answer = json.loads(out)
    assert (asking.returncode, answer["stop_reason"], answer["error"]["code"]) == (
        4,
        "engine_lost",
        "HX-LOST",
    )
    assert answer["response"].startswith("The rule is")
    assert answer["passages"]
    assert "Traceback" not in err
    listed = json.loads(hexcore("sessions", "--json").stdout)["sessions"]
    assert [(entry["title"], entry["num_turns"], entry["running"]) for entry in listed] == [
        (QUESTION, 1, False)
    ]
    shown = hexcore("sessions", "show", "last").stdout
    assert "The rule is [702.2c]" in shown
    assert "engine_lost" in shown


async def test_sigterm_stops_the_answer_stores_it_and_leaves(
    scripted_home: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", SLOW_TEXT)
    client = await EngineClient.connect(scripted_home, Settings())
    asked = await ask(client)
    os.kill(client.welcome.pid, signal.SIGTERM)
    outcome = await asked.outcome()
    assert isinstance(outcome, events.AnswerStopped)
    await client.close()
    await until(lambda: has_ended(client.welcome.pid))
    assert not scripted_home.socket_file.exists()
    again = await EngineClient.connect(scripted_home, Settings())
    assert (await first_turn(again, asked.session_id)).response == outcome.response
    await again.close()


def test_a_terminal_that_hangs_up_in_mid_answer_does_not_end_the_answer(
    scripted_home: Paths, hexcore: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = " ".join(f"word{number}" for number in range(60)) + "."
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", text)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [*HEXCORE, "ask", "What?"])
    seen = b""
    while b"word3" not in seen:
        seen += os.read(terminal, 4096)
    # The session's last terminal goes: its leader gets SIGHUP, as when a line of ssh drops.
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0
    status = asyncio.run(engine_status(scripted_home))
    assert status is not None
    assert status.busy

    def stored() -> str | None:
        shown = json.loads(hexcore("sessions", "show", "last", "--json").stdout)["turns"][0]
        return shown["response"] if shown["stop_reason"] == "end" else None

    assert (wait_until(stored) or "").startswith(text)


@pytest.fixture
def other_version(tmp_path: Path) -> dict[str, str]:
    """The environment of another installation, whose files differ."""
    package = Path(hexcore_engine.__file__).parent
    other = tmp_path / "other"
    shutil.copytree(package, other / "hexcore_engine", ignore=shutil.ignore_patterns("__pycache__"))
    (other / "hexcore_engine" / "changed.py").write_text("")
    return {"PYTHONPATH": str(other)}


async def test_an_engine_of_another_version_finishes_its_answer_and_is_replaced(
    scripted_home: Paths, other_version: dict[str, str]
) -> None:
    text = " ".join(f"word{number}" for number in range(50)) + "."
    environment = {**os.environ, **other_version, "HEXCORE_SCRIPTED_TEXT": text}
    process = await asyncio.create_subprocess_exec(*ENGINE, env=environment, cwd=other_version["PYTHONPATH"])
    await until(scripted_home.socket_file.exists)
    # As its own client: the fingerprint is what tells versions apart.
    transport = await connect_socket(scripted_home)
    assert transport is not None
    old = await EngineClient.over(transport)
    asked = await ask(old)
    client = await EngineClient.connect(scripted_home, Settings())
    assert client.welcome.pid != process.pid
    outcome = await asked.outcome()
    assert isinstance(outcome, events.AnswerCompleted)
    assert outcome.response.startswith(text)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert (await first_turn(client, asked.session_id)).response == outcome.response
    await old.close()
    await client.close()


def test_an_engine_of_another_version_is_reported_and_stopped_like_ours(
    scripted_home: Paths, other_version: dict[str, str], hexcore: Run
) -> None:
    process = subprocess.Popen(ENGINE, env={**os.environ, **other_version}, cwd=other_version["PYTHONPATH"])
    wait_until(scripted_home.socket_file.exists)
    assert json.loads(hexcore("engine", "status", "--json").stdout)["pid"] == process.pid
    assert hexcore("engine", "stop").returncode == 0
    assert process.wait(20) == 0


UPDATED = """
import asyncio, os, signal
from pathlib import Path
import hexcore_engine
from hexcore_engine.client.client import EngineClient
from hexcore_engine.errors import EngineUnreachableError
from hexcore_engine.paths import default_paths
from hexcore_engine.settings import Settings

async def main():
    client = await EngineClient.connect(default_paths(), Settings())
    await client.close()
    (Path(hexcore_engine.__file__).parent / "newer.py").write_text("")
    os.kill(client.welcome.pid, signal.SIGKILL)
    try:
        await EngineClient.connect(default_paths(), Settings())
    except EngineUnreachableError as error:
        print(error.message, error.remedy)

asyncio.run(main())
"""


def test_a_client_that_was_updated_under_its_feet_says_so_and_starts_no_engine_after_another(
    scripted_home: Paths, other_version: dict[str, str]
) -> None:
    result = subprocess.run(
        [sys.executable, "-c", UPDATED],
        env={**os.environ, **other_version},
        cwd=other_version["PYTHONPATH"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "updated while this was open" in result.stdout


async def test_a_stale_socket_is_no_obstacle(scripted_home: Paths) -> None:
    await start_engine(scripted_home)
    status = await engine_status(scripted_home)
    assert status is not None
    pid = status.pid or 0
    os.kill(pid, signal.SIGKILL)

    async def nobody_listens() -> bool:
        return not await is_listening(scripted_home)

    await until(nobody_listens)
    assert scripted_home.socket_file.exists()
    assert await engine_status(scripted_home) is None
    await start_engine(scripted_home)
    assert await engine_status(scripted_home)


async def test_an_engine_that_hangs_is_ended_after_the_deadline_and_what_it_stored_is_kept(
    scripted_home: Paths, hexcore: Run
) -> None:
    asked = json.loads(hexcore("ask", QUESTION, "--json").stdout)
    status = await engine_status(scripted_home)
    assert status is not None
    os.kill(status.pid or 0, signal.SIGSTOP)
    assert await stop_engine(scripted_home, timeout_s=1.0) == Stopped(status.pid or 0, killed=True)
    assert await stop_engine(scripted_home) is None
    shown = json.loads(hexcore("sessions", "show", "last", "--json").stdout)
    assert shown["turns"][0]["response"] == asked["response"]


async def test_only_the_process_that_listens_is_ended_whoever_signed_the_lock(scripted_home: Paths) -> None:
    await start_engine(scripted_home)
    status = await engine_status(scripted_home)
    assert status is not None
    assert status.pid
    with innocent_process() as innocent:
        scripted_home.engine_lock_file.write_text(f"{innocent.pid} {time.time():.0f}\n", "ascii")
        os.kill(status.pid, signal.SIGSTOP)
        assert await stop_engine(scripted_home, timeout_s=1.0) == Stopped(status.pid, killed=True)
        assert innocent.poll() is None


async def test_who_holds_the_lock_without_listening_is_named_and_left_alone(scripted_home: Paths) -> None:
    ensure_run_folder(scripted_home)
    lock = try_lock(scripted_home.engine_lock_file)
    assert lock is not None
    try:
        with innocent_process() as innocent:
            scripted_home.engine_lock_file.write_text(f"{innocent.pid} {time.time():.0f}\n", "ascii")
            with pytest.raises(EngineUnreachableError) as raised:
                await stop_engine(scripted_home, timeout_s=0.2)
            assert f"ps -p {innocent.pid}" in raised.value.remedy
            scripted_home.engine_lock_file.write_text("")
            with pytest.raises(EngineUnreachableError, match="does not end"):
                await stop_engine(scripted_home, timeout_s=0.2)
            assert innocent.poll() is None
    finally:
        os.close(lock)
    assert await stop_engine(scripted_home) is None


async def test_an_engine_that_is_just_starting_is_stopped_too(scripted_home: Paths) -> None:
    starting = asyncio.create_task(start_engine(scripted_home))
    await until(lambda: is_held(scripted_home.engine_lock_file))
    stopped = await stop_engine(scripted_home)
    assert stopped is not None
    assert not stopped.killed
    starting.cancel()


async def test_an_engine_that_can_not_start_says_why(scripted_home: Paths, hexcore: Run) -> None:
    scripted_home.sessions_file.mkdir()
    done = hexcore("ask", "What?", "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (4, "HX-UNREACHABLE")
    assert str(scripted_home.sessions_file) in error["message"]
