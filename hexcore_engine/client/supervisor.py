"""Asking a running engine how it is, and ending it."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass

from hexcore_engine.client.client import EngineClient
from hexcore_engine.client.engine_process import wait_until_gone
from hexcore_engine.client.locks import lock_holder
from hexcore_engine.client.transports import Transport, connect_socket
from hexcore_engine.errors import EngineUnreachableError
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.events import EngineReported
from hexcore_engine.protocol.records import EngineRecord
from hexcore_engine.protocol.requests import EngineStatus, StopEngine

KILL_TIMEOUT_S = 5.0


async def engine_status(paths: Paths) -> EngineRecord | None:
    """Ask a running engine how it is; None when none runs."""
    transport = await connect_socket(paths)
    if transport is None:
        return None
    client = await EngineClient.over(transport, client_name="status")
    try:
        reported = await client.call(EngineStatus())
    finally:
        await client.close()
    return reported.status if isinstance(reported, EngineReported) else None


@dataclass(frozen=True)
class Stopped:
    """An engine that ran and does no more; `killed` when it had to be ended because it did not react."""

    pid: int
    killed: bool = False


async def stop_engine(paths: Paths, timeout_s: float = 15.0, now: bool = True) -> Stopped | None:
    """Ask a running engine to leave and wait for it; one that does not within `timeout_s` is killed. None
    when none runs.

    Raises:
        EngineUnreachableError: when it does not react and can't be ended.
    """
    deadline = asyncio.get_running_loop().time() + timeout_s
    transport = await connect_socket(paths)
    if transport is None:
        return None
    holder = lock_holder(paths.engine_lock_file)
    try:
        async with asyncio.timeout_at(deadline):
            pid = await _ask_to_leave(transport, now)
        await wait_until_gone(pid, deadline)
    except (EngineUnreachableError, TimeoutError):
        await transport.close()
        if holder is None or asyncio.get_running_loop().time() < deadline:
            raise
        return await _kill(holder.pid)
    return Stopped(pid)


async def _ask_to_leave(transport: Transport, now: bool) -> int:
    client = await EngineClient.over(transport, client_name="stop")
    try:
        await client.call(StopEngine(now=now))
    finally:
        await client.close()
    return client.welcome.pid


async def _kill(pid: int) -> Stopped:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return Stopped(pid)
    except PermissionError as error:
        raise EngineUnreachableError(
            f"The engine (process {pid}) does not react and is another user's.",
            f"Its owner can: kill -9 {pid}",
        ) from error
    await wait_until_gone(pid, asyncio.get_running_loop().time() + KILL_TIMEOUT_S)
    return Stopped(pid, killed=True)
