"""`hexcore-engine --stdio`: bytes between stdin/stdout and this user's engine, nothing more."""

from __future__ import annotations

import asyncio
import os
import sys

from hexcore_engine.client.engine_process import is_listening, start_engine
from hexcore_engine.errors import EngineUnreachableError
from hexcore_engine.paths import Paths

CHUNK_BYTES = 65536


async def copy_bytes(paths: Paths) -> int:
    """Join or start the engine and copy both ways until either side ends.

    Raises:
        EngineUnreachableError: when no engine can be reached.
    """
    if not await is_listening(paths):
        await start_engine(paths)
    try:
        reader, writer = await asyncio.open_unix_connection(str(paths.socket_file))
    except OSError as error:
        raise EngineUnreachableError(f"The engine's socket can't be opened: {error.strerror}.") from error
    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin.buffer)
    outward = asyncio.create_task(_outward(reader))
    inward = asyncio.create_task(_inward(stdin, writer))
    await asyncio.wait({outward, inward}, return_when=asyncio.FIRST_COMPLETED)
    writer.close()
    for task in (outward, inward):
        task.cancel()
    return 0


async def _inward(stdin: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await stdin.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()


async def _outward(reader: asyncio.StreamReader) -> None:
    descriptor = sys.stdout.fileno()
    while data := await reader.read(CHUNK_BYTES):
        # A pipe to ssh may be full; the engine is not held up by a thread that waits here.
        await asyncio.to_thread(_write_all, descriptor, data)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
