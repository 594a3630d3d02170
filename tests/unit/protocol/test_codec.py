from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexcore_engine.errors import ProtocolError, UsageError
from hexcore_engine.protocol import events, requests
from hexcore_engine.protocol.codec import (
    HEADER,
    MAX_FRAME_BYTES,
    Envelope,
    decode_payload,
    encode_frame,
    frame_size,
)

BODIES = st.one_of(
    st.builds(requests.AskQuestion, question=st.text()),
    st.builds(requests.OpenSession, session_id=st.text()),
    st.builds(
        events.TextStreamed, question_id=st.text(), sequence=st.integers(0, 2**31), text=st.text(max_size=500)
    ),
    st.just(requests.EngineStatus()),
)


@given(st.integers(0, 2**31), BODIES)
def test_what_is_sent_arrives(request_id: int, body: requests.AskQuestion) -> None:
    envelope = Envelope(request_id, body)
    frame = encode_frame(envelope)
    assert frame_size(frame[: HEADER.size]) == len(frame) - HEADER.size
    assert decode_payload(frame[HEADER.size :]) == envelope


@given(st.binary(max_size=200))
def test_garbage_is_refused_by_name(payload: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        assert isinstance(decode_payload(payload), Envelope)


@given(BODIES, st.integers(1, 30))
def test_a_truncated_frame_is_refused(body: requests.AskQuestion, missing: int) -> None:
    payload = encode_frame(Envelope(1, body))[HEADER.size :]
    with pytest.raises(ProtocolError):
        decode_payload(payload[: max(0, len(payload) - missing)])


def test_a_text_that_is_none_is_refused_before_it_is_sent() -> None:
    with pytest.raises(UsageError, match="no text"):
        encode_frame(Envelope(1, requests.AskQuestion("Moss \udcff")))


def test_a_frame_nested_without_end_is_refused() -> None:
    with pytest.raises(ProtocolError):
        decode_payload(b"\x91" * 100_000)


def test_an_oversized_frame_is_refused_on_both_sides() -> None:
    with pytest.raises(ProtocolError):
        encode_frame(Envelope(1, requests.AskQuestion(question="x" * (MAX_FRAME_BYTES + 1))))
    with pytest.raises(ProtocolError):
        frame_size(HEADER.pack(MAX_FRAME_BYTES + 1))
