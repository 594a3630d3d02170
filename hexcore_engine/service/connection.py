"""One client's connection: frames in, frames out, and what happens when either goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable

from hexcore_engine.client.peer import peer_uid
from hexcore_engine.client.transports import read_envelope
from hexcore_engine.errors import ProtocolError
from hexcore_engine.protocol.codec import Envelope, encode_frame
from hexcore_engine.protocol.events import Event, RequestFailed
from hexcore_engine.protocol.records import ErrorRecord
from hexcore_engine.protocol.requests import BaseRequest, Request

logger = logging.getLogger(__name__)

# A client this many frames behind does not read any more; an answer has a few hundred.
MAX_QUEUED_FRAMES = 4096


class Connection:
    """A client. `send` never waits: the engine is not slowed by a slow reader."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._closed = False
        self.watches: dict[int, asyncio.Task[None]] = {}
        self.greeted = False

    def send(self, request_id: int, event: Event) -> None:
        """Queue an event; a client hopelessly behind is hung up on."""
        if self._closed:
            return
        if self._queue.qsize() >= MAX_QUEUED_FRAMES:
            logger.warning("a client does not read; closing its connection")
            self.close()
            return
        self._queue.put_nowait(encode_frame(Envelope(request_id, event)))

    def close(self) -> None:
        """Hang up once what is queued is written."""
        if not self._closed:
            self._closed = True
            self._queue.put_nowait(None)

    async def run(self, handle: Callable[[Connection, int, Request], Awaitable[None]]) -> None:
        """Serve the client until either side hangs up."""
        writing = asyncio.create_task(self._write())
        try:
            await self._read(handle)
        except ProtocolError as error:
            logger.warning("closing a connection: %s", error.message)
            self.send(0, RequestFailed(ErrorRecord(error.code, error.message, error.remedy)))
        finally:
            for watch in self.watches.values():
                watch.cancel()
            self.close()
            with contextlib.suppress(OSError):
                await asyncio.wait({writing}, timeout=2)
                writing.cancel()
                self._writer.close()

    async def _read(self, handle: Callable[[Connection, int, Request], Awaitable[None]]) -> None:
        while not self._closed:
            envelope = await read_envelope(self._reader)
            if envelope is None:
                return
            if not isinstance(envelope.body, BaseRequest):
                raise ProtocolError("A client sent an event; only requests come from clients.")
            await handle(self, envelope.request_id, envelope.body)

    async def _write(self) -> None:
        with contextlib.suppress(OSError):
            while (frame := await self._queue.get()) is not None:
                self._writer.write(frame)
                await self._writer.drain()
        self._closed = True
        # Whoever reads from this connection sees its end too.
        self._writer.close()


def is_ours(writer: asyncio.StreamWriter) -> bool:
    """Whether the client belongs to the user who runs the engine."""
    peer = writer.get_extra_info("socket")
    uid = peer_uid(peer) if peer is not None else None
    return uid in (None, os.getuid())
