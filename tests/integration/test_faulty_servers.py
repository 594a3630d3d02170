"""Model servers that send rubbish, fall silent or hang up: each is said in words, and the part is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from hexcore_engine.errors import ContextOverflowError, DecoderError, HexcoreError, ModelMissingError
from hexcore_engine.inference.decoders import openai_server
from hexcore_engine.inference.decoders.base import (
    ChatMessage,
    DecodedText,
    DecodeFinished,
    DecodeRequest,
    StopSignal,
)
from hexcore_engine.inference.decoders.openai_server import OpenAIServerDecoder
from hexcore_engine.paths import Paths
from tests.integration.faulty_server import WELL, FaultyServer, chunk, faulty_server
from tests.integration.parts import QUESTION, Run

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as faulty:
        yield faulty


def read(decoder: OpenAIServerDecoder) -> tuple[str, DecodeFinished | HexcoreError | None]:
    """Generate once; return the text and how it ended."""
    asked = DecodeRequest((ChatMessage("user", "Hello"),), 20, citable_rules=("702.2c",))
    text = ""
    try:
        for item in decoder.generate(asked, StopSignal()):
            if isinstance(item, DecodeFinished):
                return text, item
            assert isinstance(item, DecodedText)
            text += item.text
    except HexcoreError as error:
        return text, error
    return text, None


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<!doctype html><p>Welcome", "no OpenAI-compatible server"),
        (200, b"[1, 2]", "no OpenAI-compatible server"),
        (200, b"\xff\xfe\x00", "no OpenAI-compatible server"),
        (404, b"no such page", "no OpenAI-compatible server"),
        (302, b"", "no OpenAI-compatible server"),
        (200, b"{}", "lists no model"),
        (200, b'{"data": 7}', "lists no model"),
        (200, b'{"data": ["own", null]}', "lists no model"),
        (401, b"{}", "refuses the key"),
        (503, b'{"error": "Loading model"}', "not ready"),
    ],
)
def test_an_address_that_is_no_model_server_is_said(
    server: FaultyServer, status: int, body: bytes, said: str
) -> None:
    server.models = (status, body)
    with pytest.raises(ModelMissingError, match=said) as raised:
        OpenAIServerDecoder(f"{server.address}/v1")
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:9/v1", "the connection failed"),
        ("http://no-such-host.invalid/v1", "the connection failed"),
        ("http://[::bad/v1", "no address of a server"),
        ("http://127.0.0.1:99999/v1", "no address of a server"),
        ("http://", "no address of a server"),
        ("http:///v1", "no address of a server"),
        ("http://host name/v1", "no address of a server"),
        ("http://host\x1b[31m/v1", "no address of a server"),
        ("http://moss:lantern@127.0.0.1:9/v1", "holds a user or a password"),
    ],
)
def test_an_address_nobody_listens_at_is_said(address: str, said: str) -> None:
    with pytest.raises(ModelMissingError, match=said) as raised:
        OpenAIServerDecoder(address)
    assert raised.value.remedy
    assert "lantern" not in str(raised.value)


def test_a_silent_server_is_left_in_time(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_server, "ASK_TIMEOUT_S", 0.3)
    server.is_silent = True
    with pytest.raises(ModelMissingError, match="does not answer in time"):
        OpenAIServerDecoder(server.address)


@pytest.mark.parametrize(
    "rubbish",
    [
        b"data: {oops\n\n",
        b"data: 17\n\n",
        b"data: []\n\n",
        b'data: {"choices": 5}\n\n',
        b'data: {"choices": [7]}\n\n',
        b'data: {"choices": [{"delta": "x"}]}\n\n',
        b'data: {"usage": 3}\n\n',
        b'data: {"choices": [{"delta": {}}], "timings": "fast"}\n\n',
        b"data: \xff\xfe\n\n",
    ],
)
def test_rubbish_in_a_stream_ends_it_in_words_and_keeps_the_part(
    server: FaultyServer, rubbish: bytes
) -> None:
    decoder = OpenAIServerDecoder(server.address)
    server.chat = (200, chunk("The part") + rubbish + WELL)
    text, end = read(decoder)
    assert text == "The part"
    assert isinstance(end, DecoderError)
    assert "no part of an answer" in end.message
    server.chat = (200, WELL)
    text, end = read(decoder)
    assert (text, type(end)) == ("The part is [702.2c].", DecodeFinished)
    decoder.close()


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (200, b'data: {"error": {"message": "out of\\u001b[31m memory"}}\n\n', DecoderError, "out of memory"),
        (500, b"<h1>Oops</h1>", DecoderError, "refused the question (500)"),
        (400, b'{"error": {"message": "bad template"}}', DecoderError, "bad template"),
        (200, b"", DecoderError, "without saying why"),
        (200, b"<html>surprise</html>", DecoderError, "without saying why"),
        (200, chunk("x") + b"data: [DONE]\n\n", DecoderError, "without saying why"),
        (
            400,
            b'{"error": {"type": "exceed_context_size_error", "message": "too long", "n_ctx": 512}}',
            ContextOverflowError,
            "too long",
        ),
    ],
)
def test_a_server_that_fails_is_quoted(
    server: FaultyServer, status: int, body: bytes, kind: type[HexcoreError], said: str
) -> None:
    decoder = OpenAIServerDecoder(server.address)
    server.chat = (status, body)
    _, end = read(decoder)
    assert isinstance(end, kind)
    assert said in end.message
    assert end.remedy
    decoder.close()


def test_a_server_that_hangs_up_in_mid_answer_leaves_the_part(server: FaultyServer) -> None:
    decoder = OpenAIServerDecoder(server.address)
    server.chat, server.hangs_up = (200, chunk("The part")), True
    text, end = read(decoder)
    assert text == "The part"
    assert isinstance(end, DecoderError)
    assert "closed the connection" in end.message
    decoder.close()


def test_a_server_without_grammars_is_asked_again_without_and_that_is_said(server: FaultyServer) -> None:
    decoder = OpenAIServerDecoder(server.address)
    server.takes_grammar = False
    text, end = read(decoder)
    assert (text, type(end)) == ("The part is [702.2c].", DecodeFinished)
    assert ["grammar" in body for body in server.bodies] == [True, False]
    assert "checked after they are written" in decoder.model.note
    read(decoder)
    assert len(server.bodies) == 3
    decoder.close()


def test_a_stop_does_not_wait_for_a_silent_server(server: FaultyServer) -> None:
    decoder = OpenAIServerDecoder(server.address)
    server.is_silent = True
    stop = StopSignal()
    threading.Timer(0.2, stop.set).start()
    asked = DecodeRequest((ChatMessage("user", "Hello"),), 20)
    (finished,) = decoder.generate(asked, stop)
    assert isinstance(finished, DecodeFinished)
    assert finished.stop_reason == "stopped"
    decoder.close()


def test_the_command_line_shows_the_part_the_reason_and_what_to_do(
    home: Paths, hexcore: Run, server: FaultyServer
) -> None:
    server.chat, server.hangs_up = (200, chunk("The part of an answer")), True
    done = hexcore("ask", QUESTION, "--model", f"{server.address}/v1")
    assert done.returncode == 4
    assert done.stdout.strip() == "The part of an answer"
    assert "The model server closed the connection in the middle of its work." in done.stderr
    assert "Ask again" in done.stderr
    assert "The part of an answer" in hexcore("sessions", "show", "last").stdout
    server.chat, server.hangs_up = (200, WELL), False
    again = hexcore("ask", QUESTION, "--json")
    assert again.returncode == 0
