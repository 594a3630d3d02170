"""A real llama-server as the model: chosen by its address, its key from the environment, its work stopped."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from hexcore_engine.client.client import EngineClient
from hexcore_engine.inference.decoders.base import (
    ChatMessage,
    DecodedText,
    DecodeFinished,
    DecodeRequest,
    StopSignal,
)
from hexcore_engine.inference.decoders.openai_server import OpenAIServerDecoder
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events, requests
from hexcore_engine.settings import Settings
from tests.conftest import living_below, paths_of
from tests.integration.parts import QUESTION, Run, ask, until, wait_until

pytestmark = pytest.mark.slow
KEY = "a-key-that-is-nobodys-business-5417"
CONTEXT_TOKENS = 3072
# The server looks for a client that left once it was not asked anything for a second (seen in build 11549).
BETWEEN_LOOKS_S = 1.5


@dataclass(frozen=True)
class LlamaServer:
    address: str
    process: subprocess.Popen[str]

    def is_working(self) -> bool:
        headers = {"Authorization": f"Bearer {KEY}"}
        slots = httpx.get(f"{self.address}/slots", headers=headers, timeout=60).json()
        return any(slot["is_processing"] for slot in slots)


@contextmanager
def running_server(home: Path) -> Iterator[LlamaServer]:
    """A server of the embedded model, ended at the latest with the block."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("llama_server.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    settings = {
        "model": str(paths_of(home).embedded_model_file),
        "key": KEY,
        "context_tokens": CONTEXT_TOKENS,
    }
    process.stdin.write(json.dumps(settings) + "\n")
    process.stdin.flush()
    try:
        yield LlamaServer(json.loads(process.stdout.readline())["address"], process)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def server(prepared_home: Path) -> Iterator[LlamaServer]:
    with running_server(prepared_home) as started:
        yield started


@pytest.fixture
def decoder(server: LlamaServer) -> Iterator[OpenAIServerDecoder]:
    opened = OpenAIServerDecoder(f"{server.address}/v1", KEY)
    yield opened
    opened.close()


@pytest.fixture
def with_key(home: Paths, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setenv("HEXCORE_API_KEY", KEY)
    return home


def request(text: str, **options: object) -> DecodeRequest:
    options = {"max_tokens": 1000} | options
    return DecodeRequest((ChatMessage("user", text),), **options)  # type: ignore[arg-type]


def written(decoder: OpenAIServerDecoder, asked: DecodeRequest) -> str:
    items = decoder.generate(asked, StopSignal())
    return "".join(item.text for item in items if isinstance(item, DecodedText))


def test_it_is_chosen_with_one_command_and_answers_with_checked_rules(
    with_key: Paths, hexcore: Run, server: LlamaServer
) -> None:
    chosen = hexcore("models", "use", f"{server.address}/v1")
    assert chosen.returncode == 0
    assert server.address in with_key.settings_file.read_text()
    answer = json.loads(hexcore("ask", QUESTION, "--max-tokens", "60", "--json").stdout)
    assert answer["response"]
    assert answer["stop_reason"] in ("end", "length")
    assert answer["usage"]["prompt_tokens"] > 100
    bracketed = {cited["status"] for cited in answer["citations"] if cited["bracketed"]}
    assert bracketed <= {"quoted", "retrieved"}
    status = json.loads(hexcore("engine", "status", "--json").stdout)
    assert status["decoder"] == "openai"


def test_its_key_is_in_no_file_and_no_command_line(
    with_key: Paths, hexcore: Run, server: LlamaServer
) -> None:
    done = hexcore("ask", QUESTION, "--model", f"{server.address}/v1", "--max-tokens", "3", "--json")
    assert json.loads(done.stdout)["stop_reason"] == "length"
    ours = living_below(str(with_key.home))
    assert ours
    assert KEY not in done.stdout + done.stderr + " ".join(word for one in ours for word in one.cmdline())
    files = [file for file in with_key.home.rglob("*") if file.is_file()]
    assert with_key.engine_log_file in files
    assert [file for file in files if KEY.encode() in file.read_bytes()] == []


def test_a_wrong_key_is_said_with_the_variables_name(
    home: Paths, hexcore: Run, server: LlamaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_API_KEY", "wrong")
    asked = hexcore("ask", QUESTION, "--model", f"{server.address}/v1", "--json")
    error = json.loads(asked.stdout)["error"]
    assert (asked.returncode, error["code"]) == (3, "HX-MODEL")
    assert "refuses the key" in error["message"]
    assert "HEXCORE_API_KEY" in error["remedy"]
    assert "hexcore engine restart" in error["remedy"]
    hexcore("models", "use", f"{server.address}/v1")
    hexcore("engine", "stop")
    evidence = json.loads(hexcore("ask", QUESTION, "--json").stdout)
    assert (evidence["stop_reason"], evidence["response"]) == ("no_model", "")
    assert evidence["passages"]
    assert any("refuses the key" in note for note in evidence["metadata"]["notes"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_inside_brackets_only_the_given_rules_can_stand(decoder: OpenAIServerDecoder, seed: int) -> None:
    rules = ("702.2c", "702.19b")
    wish = "List many rule numbers in brackets, like this: [100.1] [[104.3] [200.5a] [x] [702.19b]"
    asked = request(wish, max_tokens=80, temperature=1.5, seed=seed, citable_rules=rules)
    text = written(decoder, asked)
    # The last bracket may have been cut by the length.
    assert set(re.findall(r"\[([^\]]*)\]", text)) <= set(rules)
    assert "[[" not in text
    none = request(wish, max_tokens=40, temperature=1.5, seed=seed, citable_rules=())
    assert "[" not in written(decoder, none)


def test_closing_the_stream_stops_the_servers_work(decoder: OpenAIServerDecoder, server: LlamaServer) -> None:
    writing = decoder.generate(request("Write a very long story about a lantern."), StopSignal())
    assert isinstance(next(writing), DecodedText)
    assert server.is_working()
    writing.close()
    wait_until(lambda: not server.is_working(), every_s=BETWEEN_LOOKS_S)
    # And the decoder is as usable as before.
    assert isinstance(
        list(decoder.generate(request("Hello", max_tokens=2), StopSignal()))[-1], DecodeFinished
    )


def test_a_stop_while_the_prompt_is_read_stops_the_servers_work(
    decoder: OpenAIServerDecoder, server: LlamaServer
) -> None:
    stop = StopSignal()
    long = " ".join(f"Lantern {number} glows." for number in range(250))
    items: list[object] = []
    reading = threading.Thread(target=lambda: items.extend(decoder.generate(request(long), stop)))
    reading.start()
    wait_until(server.is_working)
    stop.set()
    reading.join(20)
    assert not reading.is_alive()
    (finished,) = items
    assert isinstance(finished, DecodeFinished)
    assert finished.stop_reason == "stopped"
    wait_until(lambda: not server.is_working(), every_s=BETWEEN_LOOKS_S)


async def test_a_stop_in_mid_answer_goes_through_the_engine_to_the_server(
    with_key: Paths, server: LlamaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_MODEL_PATH", f"{server.address}/v1")
    client = await EngineClient.connect(with_key, Settings())
    asked = await ask(client, "Tell me all about deathtouch, at great length.", max_tokens=1000)
    await client.call(requests.StopAnswer(asked.question_id))
    outcome = await asked.outcome()
    assert isinstance(outcome, events.AnswerStopped)
    assert outcome.response
    await until(lambda: not server.is_working(), every_s=BETWEEN_LOOKS_S)
    await client.close()


async def test_a_server_killed_in_mid_answer_keeps_the_part_and_says_so(
    with_key: Paths, prepared_home: Path, hexcore: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_server(prepared_home) as own:
        monkeypatch.setenv("HEXCORE_MODEL_PATH", f"{own.address}/v1")
        client = await EngineClient.connect(with_key, Settings())
        asked = await ask(client, "Tell me all about deathtouch, at great length.", max_tokens=1000)
        own.process.kill()
        outcome = await asked.outcome()
    assert isinstance(outcome, events.AnswerFailed)
    assert outcome.error.code == "HX-DECODER"
    assert "closed the connection" in outcome.error.message
    assert outcome.response
    await client.close()
    again = hexcore("ask", QUESTION, "--json")
    answer = json.loads(again.stdout)
    assert (again.returncode, answer["stop_reason"]) == (0, "no_model")
    assert any("No model server answers" in note for note in answer["metadata"]["notes"])


def test_time_is_not_lost_on_a_server_that_is_away(home: Paths, hexcore: Run) -> None:
    began = time.monotonic()
    done = hexcore("ask", QUESTION, "--model", "http://127.0.0.1:9/v1", "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (3, "HX-MODEL")
    assert "No model server answers at http://127.0.0.1:9: the connection failed" in error["message"]
    assert time.monotonic() - began < 60
