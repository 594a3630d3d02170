"""The real engine process and its real client: answers, sharing, leaving, and its folder."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.client.client import EngineClient
from hexcore_engine.client.supervisor import engine_status, stop_engine
from hexcore_engine.client.transports import connect_program
from hexcore_engine.errors import (
    EngineLostError,
    EngineUnreachableError,
    SessionError,
    UsageError,
    error_from_record,
)
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events, requests
from hexcore_engine.protocol.codec import HEADER, MAX_FRAME_BYTES
from hexcore_engine.settings import Settings
from tests.integration.parts import ENGINE, QUESTION, answer_to, ask, until

pytestmark = pytest.mark.slow


async def test_a_question_streams_in_pieces_with_evidence_first(client: EngineClient) -> None:
    times = []
    kinds = []
    async for event in client.stream(requests.AskQuestion(QUESTION)):
        kinds.append(type(event).__name__)
        if isinstance(event, events.TextStreamed):
            times.append(time.monotonic())
        if isinstance(event, events.PassagesRetrieved):
            assert event.passages
    assert kinds[:4] == ["QuestionAccepted", "QuestionRouted", "PassagesRetrieved", "PlanMade"]
    assert kinds[-1] == "AnswerCompleted"
    apart = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert sum(gap >= 0.08 for gap in apart) >= 2


async def test_stop_ends_the_answer_and_keeps_the_part(slow_client: EngineClient) -> None:
    asked = await ask(slow_client)
    stopped = await slow_client.call(requests.StopAnswer(asked.question_id))
    assert stopped == events.StopAccepted(True)
    outcome = await asked.outcome()
    assert isinstance(outcome, events.AnswerStopped)
    assert outcome.response
    opened = await slow_client.call(requests.OpenSession(asked.session_id))
    assert isinstance(opened, events.SessionOpened)
    assert opened.turns[0].response == outcome.response
    assert opened.turns[0].stop_reason == "stopped"
    assert await slow_client.call(requests.StopAnswer(asked.question_id)) == events.StopAccepted(False)


async def test_a_client_that_leaves_does_not_stop_the_answer(
    scripted_home: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", "one two three four five six seven eight. " * 2)
    leaving = await EngineClient.connect(scripted_home, Settings())
    asked = await ask(leaving)
    await leaving.close()
    staying = await EngineClient.connect(scripted_home, Settings())

    async def finished() -> bool:
        opened = await staying.call(requests.OpenSession(asked.session_id))
        assert isinstance(opened, events.SessionOpened)
        return opened.turns[0].stop_reason == "end"

    await until(finished)
    await staying.close()


async def test_a_running_answer_can_be_followed_by_another_client_from_its_beginning(
    client: EngineClient, scripted_home: Paths
) -> None:
    asked = await ask(client)
    other = await EngineClient.connect(scripted_home, Settings())
    followed = [event async for event in other.stream(requests.FollowAnswer(asked.question_id))]
    outcome = await asked.outcome()
    assert isinstance(followed[0], events.QuestionAccepted)
    assert followed[-1] == outcome
    text = "".join(event.text for event in followed if isinstance(event, events.TextStreamed))
    assert isinstance(outcome, events.AnswerCompleted)
    assert text == outcome.response
    await other.close()


async def test_two_clients_share_one_engine_and_questions_queue(
    client: EngineClient, scripted_home: Paths
) -> None:
    other = await EngineClient.connect(scripted_home, Settings())
    assert other.welcome.pid == client.welcome.pid

    async def all_events(asker: EngineClient) -> list[events.Event]:
        return [event async for event in asker.stream(requests.AskQuestion(QUESTION))]

    first, second = await asyncio.gather(all_events(client), all_events(other))
    assert isinstance(first[-1], events.AnswerCompleted)
    assert isinstance(second[-1], events.AnswerCompleted)
    positions = {
        event.queue_position for event in (first[0], second[0]) if isinstance(event, events.QuestionAccepted)
    }
    assert positions == {0, 1}
    await other.close()


async def test_a_follow_up_to_a_question_still_waiting_continues_its_answer(client: EngineClient) -> None:
    first = await ask(client)
    waiting = await ask(client, until=events.QuestionAccepted)

    async def prompt_tokens(session_id: str | None) -> int:
        asked = await ask(client, "And flying?", events.PlanMade, session_id=session_id)
        outcome = await asked.outcome()
        assert isinstance(outcome, events.AnswerCompleted)
        assert outcome.usage is not None
        return outcome.usage.prompt_tokens

    continued, alone = await asyncio.gather(prompt_tokens(waiting.session_id), prompt_tokens(None))
    assert continued > alone + 20
    assert isinstance(await first.outcome(), events.AnswerCompleted)


async def test_a_question_stopped_before_its_turn_ends_at_once(slow_client: EngineClient) -> None:
    first = await ask(slow_client)
    waiting = await ask(slow_client, until=events.QuestionAccepted, session_id=first.session_id)
    await slow_client.call(requests.StopAnswer(waiting.question_id))
    assert isinstance(await asyncio.wait_for(waiting.outcome(), 20), events.AnswerStopped)
    opened = await slow_client.call(requests.OpenSession(first.session_id))
    assert isinstance(opened, events.SessionOpened)
    assert opened.running_question_id == first.question_id
    assert [turn.stop_reason for turn in opened.turns] == [None, "stopped"]


async def test_a_deleted_conversation_is_answered_no_further(slow_client: EngineClient) -> None:
    first = await ask(slow_client)
    waiting = await ask(slow_client, until=events.QuestionAccepted, session_id=first.session_id)
    await slow_client.call(requests.DeleteSession(first.session_id))
    for asked in (first, waiting):
        assert isinstance(await asyncio.wait_for(asked.outcome(), 20), events.AnswerStopped)


async def test_clients_that_start_at_once_get_one_engine(scripted_home: Paths) -> None:
    clients = await asyncio.gather(*(EngineClient.connect(scripted_home, Settings()) for _ in range(3)))
    assert len({client.welcome.pid for client in clients}) == 1
    for client in clients:
        await client.close()


async def test_of_engines_started_at_once_one_stays(scripted_home: Paths) -> None:
    started = [await asyncio.create_subprocess_exec(*ENGINE) for _ in range(3)]
    await until(lambda: sum(process.returncode is not None for process in started) == 2)
    await until(scripted_home.socket_file.exists)
    client = await EngineClient.connect(scripted_home, Settings())
    (staying,) = [process for process in started if process.returncode is None]
    assert client.welcome.pid == staying.pid
    await client.close()
    staying.terminate()
    await asyncio.wait_for(staying.wait(), 20)
    assert {process.returncode for process in started} == {0}


async def test_what_a_model_would_take_is_told_without_loading_it(client: EngineClient) -> None:
    planned = await client.call(requests.PlanModel("scripted"))
    assert planned == events.ModelPlanned("scripted", planned.text, None)  # type: ignore[union-attr]
    listed = await client.call(requests.ListModels())
    assert isinstance(listed, events.ModelsListed)


async def test_follow_ups_continue_the_conversation(client: EngineClient) -> None:
    first = await answer_to(client)
    second = await answer_to(client, "And flying?", session_id="last")
    assert second.session_id == first.session_id
    assert second.usage is not None
    assert second.usage.cached_tokens > 0


@pytest.mark.parametrize(
    ("request_made", "kind"),
    [
        (requests.AskQuestion("  \n"), UsageError),
        (requests.AskQuestion("x", session_id="nope"), SessionError),
        (requests.OpenSession("nope"), SessionError),
        (requests.FollowAnswer("nope"), UsageError),
        (requests.DeleteSession(""), SessionError),
    ],
)
async def test_bad_requests_are_answered_in_words(
    client: EngineClient, request_made: requests.Request, kind: type[Exception]
) -> None:
    event = [event async for event in client.stream(request_made)][-1]
    assert isinstance(event, events.RequestFailed)
    assert isinstance(error_from_record(event.error.code, event.error.message, event.error.remedy), kind)
    assert event.error.remedy


async def test_the_reason_an_engine_hangs_up_for_reaches_every_request_that_waits(
    client: EngineClient,
) -> None:
    watching = client.stream(requests.WatchMemory(interval_s=60))
    await anext(watching)
    unreadable = requests.LoadModel("scripted", "lama")  # type: ignore[arg-type]
    for waiting in (client.call(unreadable), anext(watching), client.call(requests.ListSessions())):
        with pytest.raises(EngineLostError, match=r"hung up: .* 'lama'") as raised:
            await waiting
        assert "same Hexcore version" in raised.value.remedy


@pytest.mark.parametrize(
    "bytes_sent",
    [b"\xff\xff\xff\xff", HEADER.pack(MAX_FRAME_BYTES + 1) + b"x", HEADER.pack(4) + b"junk", b"\x00"],
)
async def test_a_malformed_frame_closes_that_connection_only(
    client: EngineClient, scripted_home: Paths, bytes_sent: bytes
) -> None:
    reader, writer = await asyncio.open_unix_connection(str(scripted_home.socket_file))
    writer.write(bytes_sent)
    writer.write_eof()
    await asyncio.wait_for(reader.read(), 10)
    writer.close()
    reported = await client.call(requests.EngineStatus())
    assert isinstance(reported, events.EngineReported)


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
async def test_a_folder_open_to_others_is_refused(scripted_home: Paths, mode: int) -> None:
    scripted_home.run_dir.mkdir()
    scripted_home.run_dir.chmod(mode)
    with pytest.raises(EngineUnreachableError, match="open to others") as raised:
        await EngineClient.connect(scripted_home, Settings())
    assert str(scripted_home.run_dir) in raised.value.remedy


async def test_a_folder_that_is_a_link_is_refused(scripted_home: Paths, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    scripted_home.run_dir.symlink_to(elsewhere)
    with pytest.raises(EngineUnreachableError, match="is a link"):
        await EngineClient.connect(scripted_home, Settings())


async def test_a_home_with_a_long_path_has_its_socket_elsewhere(
    scripted_home: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = tmp_path / ("far" * 40) / "home"
    monkeypatch.setenv("HEXCORE_HOME", str(far))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    paths = Paths(home=far, config_dir=far / "config", log_dir=far / "log")
    client = await EngineClient.connect(paths, Settings())
    assert paths.socket_file.exists()
    assert far not in paths.socket_file.parents
    assert (await answer_to(client)).response
    await client.close()
    assert await stop_engine(paths)


async def test_an_idle_engine_leaves(scripted_home: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEXCORE_ENGINE_IDLE_MINUTES", "0.005")
    client = await EngineClient.connect(scripted_home, Settings())
    # Longer than that, but with a client.
    assert await answer_to(client)
    assert await engine_status(scripted_home)
    await client.close()
    await until(lambda: not scripted_home.socket_file.exists())


async def test_memory_is_watched_until_it_is_enough(client: EngineClient) -> None:
    watching = client.stream_with_id(requests.WatchMemory(interval_s=0.1))
    request_id, sampled = await anext(watching)
    assert isinstance(sampled, events.MemorySampled)
    assert sampled.snapshot.devices[0].kind == "cpu"
    await client.call(requests.StopWatching(request_id))
    rest = [event async for _, event in watching]
    assert isinstance(rest[-1], events.WatchStopped)


async def test_bytes_cross_through_a_program(scripted_home: Paths) -> None:
    command = [sys.executable, "-m", "hexcore_engine.service.process", "--stdio"]
    client = await EngineClient.over(await connect_program(command))
    assert (await answer_to(client)).response
    await client.close()
    assert await engine_status(scripted_home)


def test_the_engine_of_another_machine_is_reached_by_a_command(
    scripted_home: Paths, hexcore: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "to the box"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hexcore_engine.service.process "$@"\n')
    program.chmod(0o700)
    monkeypatch.setenv("HEXCORE_ENGINE_COMMAND", f'"{program}" --stdio')
    assert hexcore("ask", "What does deathtouch do?").stdout.startswith("The rule that decides this is [")


@pytest.mark.parametrize(
    ("command", "said"),
    [("/nowhere/ssh box", "can't be started"), ("true", "led to no engine"), ('"x', "quot")],
)
def test_a_command_that_leads_nowhere_is_named_with_what_to_do(
    hexcore: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, command: str, said: str
) -> None:
    monkeypatch.setenv("HEXCORE_ENGINE_COMMAND", command)
    done = hexcore("ask", "What does deathtouch do?")
    assert done.returncode == 4
    assert said in done.stderr
    assert "[engine] command" in done.stderr
