"""The real engine with the real embedded model in its child process, and what can befall that child."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from pathlib import Path

import psutil
import pytest

from hexcore_engine.client.client import EngineClient
from hexcore_engine.errors import EngineLostError
from hexcore_engine.models.load_times import LoadTimes
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events, requests
from hexcore_engine.settings import Settings
from tests.conftest import living_below
from tests.integration.parts import QUESTION, Run, answer_to, ask, has_ended, until

pytestmark = pytest.mark.slow
AT_LENGTH = "Tell me all about deathtouch, at great length."


def model_runner(engine_pid: int) -> psutil.Process | None:
    """The child that runs llama.cpp."""
    children = psutil.Process(engine_pid).children()
    return next((child for child in children if "llama_child" in " ".join(child.cmdline())), None)


async def connected(home: Paths) -> EngineClient:
    """A client of an engine whose model is loaded."""
    client = await EngineClient.connect(home, Settings())
    loaded = await client.call(requests.LoadModel())
    assert isinstance(loaded, events.ModelLoaded)
    assert loaded.model.decoder == "llama_cpp"
    return client


async def test_its_second_load_tells_what_is_left_of_the_firsts_time(model_home: Paths) -> None:
    client = await connected(model_home)
    known = LoadTimes(model_home.load_times_file)
    (times,) = [known.of(name) for name in json.loads(model_home.load_times_file.read_text("utf-8"))]
    assert list(times) == ["reading the weights", "warming up"]
    assert all(seconds > 0 for seconds in times.values())
    await client.call(requests.UnloadModel())
    got = [event async for event in client.stream(requests.LoadModel())]
    loading = [event for event in got[:-1] if isinstance(event, events.ModelLoading)]
    assert isinstance(got[-1], events.ModelLoaded)
    assert len(loading) == len(got) - 1
    assert all(event.share is not None and 0 <= event.share < 1 for event in loading[1:])
    await client.close()


async def test_it_answers_in_pieces_cites_what_was_found_alone_and_reuses_its_prompt(
    model_home: Paths,
) -> None:
    client = await connected(model_home)
    got = [event async for event in client.stream(requests.AskQuestion(QUESTION, max_tokens=60))]
    outcome = got[-1]
    assert isinstance(outcome, events.AnswerCompleted)
    pieces = [event for event in got if isinstance(event, events.TextStreamed)]
    assert len(pieces) >= 3
    assert [piece.sequence for piece in pieces] == list(range(len(pieces)))
    (found,) = [event for event in got if isinstance(event, events.PassagesRetrieved)]
    allowed = {passage.id for passage in found.passages}
    assert set(re.findall(r"\[([^\]]*)\]", outcome.response)) <= allowed
    (plan,) = [event for event in got if isinstance(event, events.PlanMade)]
    assert plan.model.small
    second = await answer_to(client, "And with first strike?", session_id="last", max_tokens=10)
    assert second.usage is not None
    assert second.usage.cached_tokens > second.usage.prompt_tokens / 3
    await client.close()


async def test_its_memory_is_seen_and_given_back(model_home: Paths) -> None:
    client = await connected(model_home)
    runner = model_runner(client.welcome.pid)
    assert runner is not None
    weights = model_home.embedded_model_file.stat().st_size

    async def parts() -> dict[str, int]:
        watching = client.stream(requests.WatchMemory(interval_s=0.2))
        sampled = await anext(watching)
        assert isinstance(sampled, events.MemorySampled)
        return {row.name: row.size_bytes for device in sampled.snapshot.devices for row in device.rows}

    assert weights in (await parts()).values()
    assert isinstance(await client.call(requests.UnloadModel()), events.ModelUnloaded)
    await until(lambda: has_ended(runner.pid))
    assert weights not in (await parts()).values()
    await client.close()


async def test_a_stop_while_the_prompt_is_read_comes_before_any_text(model_home: Paths) -> None:
    client = await connected(model_home)
    long = " ".join(f"Lantern {number} glows." for number in range(220))
    asked = await ask(client, f"deathtouch {long}", until=events.PlanMade)
    await client.call(requests.StopAnswer(asked.question_id))
    outcome = await asked.outcome()
    assert isinstance(outcome, events.AnswerStopped)
    assert (outcome.response, outcome.stop_reason) == ("", "stopped")
    assert (await answer_to(client, QUESTION, max_tokens=3)).stop_reason == "length"
    await client.close()


async def test_a_stop_in_mid_answer_keeps_the_part(model_home: Paths) -> None:
    client = await connected(model_home)
    asked = await ask(client, AT_LENGTH, max_tokens=1000)
    await client.call(requests.StopAnswer(asked.question_id))
    outcome = await asked.outcome()
    assert isinstance(outcome, events.AnswerStopped)
    assert outcome.response
    await client.close()


async def test_its_runner_killed_alone_keeps_the_part_and_the_next_question_has_another(
    model_home: Paths,
) -> None:
    client = await connected(model_home)
    runner = model_runner(client.welcome.pid)
    assert runner is not None
    asked = await ask(client, AT_LENGTH, max_tokens=1000)
    runner.kill()
    outcome = await asked.outcome()
    assert isinstance(outcome, events.AnswerFailed)
    assert outcome.response
    assert outcome.error.message == "The process that runs the model ended (signal SIGKILL)."
    assert "Ask again" in outcome.error.remedy
    assert (await answer_to(client, max_tokens=3)).stop_reason == "length"
    another = model_runner(client.welcome.pid)
    assert another is not None
    assert another.pid != runner.pid
    await client.close()


async def test_its_runner_killed_between_answers_is_replaced_without_a_word(model_home: Paths) -> None:
    client = await connected(model_home)
    runner = model_runner(client.welcome.pid)
    assert runner is not None
    runner.kill()
    await until(lambda: not runner.is_running() or runner.status() == psutil.STATUS_ZOMBIE)
    outcome = await answer_to(client, max_tokens=3)
    assert outcome.stop_reason == "length"
    await client.close()


async def test_an_engine_killed_in_mid_answer_leaves_no_process(model_home: Paths) -> None:
    client = await connected(model_home)
    runner = model_runner(client.welcome.pid)
    assert runner is not None
    asked = await ask(client, AT_LENGTH, max_tokens=1000)
    os.kill(client.welcome.pid, signal.SIGKILL)
    with pytest.raises(EngineLostError):
        await asked.outcome()
    await client.close()
    await until(lambda: has_ended(runner.pid))
    await until(lambda: not living_below(str(model_home.home)))


async def test_an_engine_stopped_in_mid_answer_leaves_no_process(model_home: Paths, hexcore: Run) -> None:
    client = await connected(model_home)
    asked = await ask(client, AT_LENGTH, max_tokens=1000)
    done = await asyncio.to_thread(hexcore, "engine", "stop")
    assert done.returncode == 0
    assert isinstance(await asked.outcome(), events.AnswerStopped)
    await client.close()
    await until(lambda: not living_below(str(model_home.home)))


@pytest.fixture
def damaged(model_home: Paths) -> Paths:
    """A home whose model file is a copy that may be damaged."""
    content = model_home.embedded_model_file.read_bytes()
    model_home.embedded_model_file.unlink()
    model_home.embedded_model_file.write_bytes(content)
    return model_home


def cut_in_the_tensors(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 1000)


def cut_in_the_header(file: Path) -> None:
    os.truncate(file, 5000)


def no_gguf(file: Path) -> None:
    file.write_bytes(b"<!doctype html>" * 1000)


def empty(file: Path) -> None:
    os.truncate(file, 0)


def gone(file: Path) -> None:
    file.unlink()


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("damage", [cut_in_the_tensors, cut_in_the_header, no_gguf, empty, gone, a_folder])
def test_without_its_file_the_evidence_comes_with_the_command(damaged: Paths, hexcore: Run, damage) -> None:  # type: ignore[no-untyped-def]
    damage(damaged.embedded_model_file)
    done = hexcore("ask", QUESTION, "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["stop_reason"], answer["response"]) == (0, "no_model", "")
    assert answer["passages"]
    said = " ".join(answer["metadata"]["notes"])
    assert str(damaged.embedded_model_file) in said
    assert "hexcore setup" in said or damage is a_folder
    asked_for = hexcore("ask", QUESTION, "--model", "embedded", "--json")
    assert (asked_for.returncode, json.loads(asked_for.stdout)["error"]["code"]) == (3, "HX-MODEL")
    findings = json.loads(hexcore("doctor", "--json").stdout)["findings"]
    (model,) = [finding for finding in findings if finding["name"] == "model"]
    assert not model["ok"]
    assert str(damaged.embedded_model_file) in hexcore("models").stdout


def test_a_file_llama_cpp_refuses_is_said_with_its_reason(damaged: Paths, hexcore: Run) -> None:
    content = bytearray(damaged.embedded_model_file.read_bytes())
    # A header that reads well names an architecture nobody knows.
    content[:200_000] = content[:200_000].replace(b"llama", b"lxama")
    damaged.embedded_model_file.write_bytes(content)
    done = hexcore("ask", QUESTION, "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["error"]["code"]) == (4, "HX-DECODER")
    assert answer["error"]["message"] == (
        "llama.cpp could not load the model: unknown model architecture: 'lxama'."
    )
    assert "hexcore models use" in answer["error"]["remedy"]
    assert answer["passages"]


async def test_a_model_chosen_meanwhile_answers_the_next_question(model_home: Paths, hexcore: Run) -> None:
    client = await connected(model_home)
    runner = model_runner(client.welcome.pid)
    assert runner is not None
    assert (await asyncio.to_thread(hexcore, "models", "use", "scripted")).returncode == 0
    assert (await answer_to(client)).model == "scripted"
    await until(lambda: has_ended(runner.pid))
    await client.close()
