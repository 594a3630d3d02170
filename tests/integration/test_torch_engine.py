"""The embedded model, converted once, run by torch: through the command line and through the engine."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hexcore_engine.client.client import EngineClient
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events, requests
from hexcore_engine.settings import Settings
from tests.integration.parts import QUESTION, Run, answer_to, ask

pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = pytest.mark.slow
AT_LENGTH = "Tell me all about deathtouch, at great length."


@pytest.fixture
def torch_home(home: Paths, converted_models: Path) -> Paths:
    """The home, with both forms of the embedded model."""
    shutil.copytree(converted_models, home.models_dir, copy_function=os.link)
    return home


@pytest.fixture
def torch_engine(torch_home: Paths) -> Callable[[], object]:
    async def connect() -> EngineClient:
        client = await EngineClient.connect(torch_home, Settings())
        loaded = await client.call(requests.LoadModel(decoder="torch", quantization="none"))
        assert isinstance(loaded, events.ModelLoaded)
        assert loaded.model.decoder == "torch"
        return client

    return connect


def test_converting_a_second_time_does_nothing(torch_home: Paths, hexcore: Run) -> None:
    before = {file: file.stat().st_mtime_ns for file in torch_home.models_dir.rglob("*") if file.is_file()}
    done = hexcore("models", "import-gguf", "--json", timeout=120)
    assert done.returncode == 0
    folder = Path(json.loads(done.stdout)["folder"])
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert (folder / "model.safetensors").is_file()


def test_what_was_not_converted_yet_is_said_with_the_command(model_home: Paths, hexcore: Run) -> None:
    done = hexcore("ask", QUESTION, "--decoder", "torch", "--json", timeout=120)
    assert done.returncode == 3
    assert "hexcore models import-gguf" in json.loads(done.stdout)["error"]["remedy"]


@pytest.mark.parametrize("kind", ["none", "8bit", "4bit"])
def test_it_answers_in_each_quantization(torch_home: Paths, hexcore: Run, kind: str) -> None:
    words = ("ask", QUESTION, "--decoder", "torch", "--quantization", kind, "--max-tokens", "24", "--json")
    done = hexcore(*words, timeout=180)
    answer = json.loads(done.stdout)
    assert done.returncode == 0, answer
    assert answer["usage"]["generated_tokens"] > 0
    rules = {passage["id"] for passage in answer["passages"]}
    assert set(re.findall(r"\[([^\]]*)\]", answer["response"])) <= rules
    plan = answer["metadata"]["plan"]
    assert plan["predicted_time_ms"] > 0
    assert plan["predicted_peak_bytes"] > 90 * 2**20
    status = json.loads(hexcore("engine", "status", "--json").stdout)
    assert (status["decoder"], status["quantization"]) == ("torch", None if kind == "none" else kind)


async def test_it_streams_reuses_its_prompt_and_is_stopped_in_mid_answer(torch_engine) -> None:  # type: ignore[no-untyped-def]
    client = await torch_engine()
    got = [event async for event in client.stream(requests.AskQuestion(QUESTION, max_tokens=48))]
    assert sum(isinstance(event, events.TextStreamed) for event in got) >= 3
    again = await answer_to(client, "And with first strike?", session_id="last", max_tokens=8)
    assert again.usage is not None
    assert again.usage.cached_tokens > again.usage.prompt_tokens / 3
    asked = await ask(client, AT_LENGTH, max_tokens=1000)
    await client.call(requests.StopAnswer(asked.question_id))
    await client.call(requests.StopAnswer(asked.question_id))
    outcome = await asked.outcome()
    assert isinstance(outcome, events.AnswerStopped)
    assert outcome.response
    await client.close()


async def test_two_questions_at_once_wait_for_each_other_and_say_so(torch_engine) -> None:  # type: ignore[no-untyped-def]
    client = await torch_engine()

    async def collect() -> list[events.Event]:
        return [event async for event in client.stream(requests.AskQuestion(QUESTION, max_tokens=12))]

    both = await asyncio.gather(collect(), collect())
    positions = {
        event.queue_position for got in both for event in got if isinstance(event, events.QuestionAccepted)
    }
    assert positions == {0, 1}
    responses = [got[-1].response for got in both if isinstance(got[-1], events.AnswerOutcome)]
    assert len(responses) == 2
    assert responses[0] == responses[1]
    await client.close()


async def test_budgets_go_through_the_engine_and_the_next_question_is_answered(torch_engine) -> None:  # type: ignore[no-untyped-def]
    client = await torch_engine()
    nothing = requests.AskQuestion(QUESTION, memory_budget_mb=0.0)
    refused = [event async for event in client.stream(nothing)][-1]
    assert isinstance(refused, events.AnswerFailed)
    assert refused.error.code == "HX-MEMORY"
    small = requests.AskQuestion(QUESTION, max_tokens=8, memory_budget_mb=100.0)
    refused = [event async for event in client.stream(small)][-1]
    assert isinstance(refused, events.AnswerFailed)
    assert re.search(r"weights \d+.*the budget is 100 MiB", refused.error.message)
    hasty = [event async for event in client.stream(requests.AskQuestion(QUESTION, latency_budget_ms=4000.0))]
    (plan, *_) = [event.plan for event in hasty if isinstance(event, events.PlanMade)]
    assert "length" in {step.name for step in plan.given_up}
    assert (await answer_to(client, max_tokens=4)).stop_reason in ("length", "end")
    await client.close()
