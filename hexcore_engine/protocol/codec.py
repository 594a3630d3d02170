"""Frames: four bytes of big-endian length, then msgpack of one `Envelope`.

A frame that is too large, truncated or malformed raises `ProtocolError`; the owner of the connection closes
that connection and no other.
"""

from __future__ import annotations

import struct

import msgspec

from hexcore_engine.errors import ProtocolError, UsageError
from hexcore_engine.protocol.events import Event
from hexcore_engine.protocol.requests import Request

PROTOCOL_VERSION = 1
MAX_FRAME_BYTES = 8 * 1024 * 1024
HEADER = struct.Struct(">I")


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """One message and the id of the request it belongs to; ids are chosen by the client, 0 is the engine's
    own."""

    request_id: int
    body: Request | Event


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Envelope)


def encode_frame(envelope: Envelope) -> bytes:
    """Return the bytes of one frame, header included.

    Raises:
        ProtocolError: when it is too large.
        UsageError: when a text in it is none, as an argument or a file's name may be.
    """
    try:
        payload = _encoder.encode(envelope)
    except UnicodeEncodeError as error:
        raise UsageError("The text holds bytes that are no text.", "Type or copy it anew.") from error
    if len(payload) > MAX_FRAME_BYTES:
        raise ProtocolError(f"A message of {len(payload)} bytes exceeds the limit of {MAX_FRAME_BYTES}.")
    return HEADER.pack(len(payload)) + payload


def frame_size(header: bytes) -> int:
    """Return the payload size announced by the four header bytes."""
    if len(header) != HEADER.size:
        raise ProtocolError(f"A frame header holds {HEADER.size} bytes, not {len(header)}.")
    (size,) = HEADER.unpack(header)
    if size > MAX_FRAME_BYTES:
        raise ProtocolError(f"A frame of {size} bytes exceeds the limit of {MAX_FRAME_BYTES}.")
    return int(size)


def decode_payload(payload: bytes) -> Envelope:
    """Return the envelope held by a frame's payload."""
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"A frame could not be read: {error}.") from error
