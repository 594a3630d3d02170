"""Bytes to and from an engine: a Unix socket here, or the stdin and stdout of a program that leads to one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Protocol

from hexcore_engine.client.peer import peer_pid
from hexcore_engine.client.run_folder import ensure_run_folder
from hexcore_engine.errors import EngineUnreachableError, ProtocolError
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.codec import HEADER, Envelope, decode_payload, encode_frame, frame_size


class Writer(Protocol):
    """The half of `asyncio.StreamWriter` used here."""

    def write(self, data: bytes) -> None:
        """Queue bytes."""
        ...

    async def drain(self) -> None:
        """Wait until the queue is short."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class Transport:
    """Envelopes over a pair of streams."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: Writer,
        process: asyncio.subprocess.Process | None = None,
        peer_pid: int | None = None,
    ) -> None:
        """Take the streams, and the program in between or the process that listens, where either is known."""
        self.peer_pid = peer_pid
        self._reader = reader
        self._writer = writer
        self._process = process

    async def send(self, envelope: Envelope) -> None:
        """Write one frame.

        Raises:
            OSError: when the other side is gone.
        """
        self._writer.write(encode_frame(envelope))
        await self._writer.drain()

    async def receive(self) -> Envelope | None:
        """Return the next envelope, or None at the end of the line."""
        return await read_envelope(self._reader)

    async def close(self) -> None:
        """Hang up, and let a program in between end."""
        self._writer.close()
        if self._process is not None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._process.wait(), 2)
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()


async def read_envelope(reader: asyncio.StreamReader) -> Envelope | None:
    """Read one frame; None at a clean or a broken end.

    Raises:
        ProtocolError: when the bytes are not our protocol.
    """
    try:
        header = await reader.readexactly(HEADER.size)
        return decode_payload(await reader.readexactly(frame_size(header)))
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise ProtocolError("The connection ended in the middle of a frame.") from error
        return None
    except OSError:
        return None


async def connect_socket(paths: Paths) -> Transport | None:
    """Connect to this user's engine; None when none listens.

    Raises:
        EngineUnreachableError: when the socket's folder can't be trusted.
    """
    ensure_run_folder(paths)
    try:
        reader, writer = await asyncio.open_unix_connection(str(paths.socket_file))
    except (FileNotFoundError, ConnectionError):
        return None
    return Transport(reader, writer, peer_pid=peer_pid(writer.get_extra_info("socket")))


async def connect_program(command: Sequence[str]) -> Transport:
    """Start a program that speaks for an engine, e.g. `ssh box hexcore-engine --stdio`.

    Raises:
        EngineUnreachableError: when it can't be started.
    """
    try:
        # What it complains of would be written across the app's screen.
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise EngineUnreachableError(f"{command[0]!r} can't be started: {error.strerror}.") from error
    if process.stdin is None or process.stdout is None:
        raise EngineUnreachableError(f"{command[0]!r} gave no pipes.")
    return Transport(process.stdout, process.stdin, process)
