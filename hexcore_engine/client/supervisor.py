"""Asking a running engine how it is, and ending it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hexcore_engine.client.client import EngineClient
from hexcore_engine.client.engine_process import POLL_S, wait_until_gone
from hexcore_engine.client.transports import Transport, connect_socket
from hexcore_engine.errors import EngineUnreachableError
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.events import EngineReported
from hexcore_engine.protocol.records import EngineRecord
from hexcore_engine.protocol.requests import EngineStatus, StopEngine
from hexcore_engine.utils.locks import is_held, lock_holder

if TYPE_CHECKING:
    import psutil

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

    Only the process that listens on this user's socket is ever killed, as the kernel names it.

    Raises:
        EngineUnreachableError: when it does not react and can't be ended.
    """
    deadline = asyncio.get_running_loop().time() + timeout_s
    transport = await _connect_or_wait(paths, deadline)
    if transport is None:
        return None
    listening = _process(transport.peer_pid)
    try:
        async with asyncio.timeout_at(deadline):
            pid = await _ask_to_leave(transport, now)
        await wait_until_gone(pid, deadline)
    except (EngineUnreachableError, TimeoutError):
        await transport.close()
        if listening is None or asyncio.get_running_loop().time() < deadline:
            raise
        return await _kill(listening)
    return Stopped(pid)


async def _connect_or_wait(paths: Paths, deadline: float) -> Transport | None:
    """Connect to the engine, one that is just starting too; None when there is none or it has just left.

    Raises:
        EngineUnreachableError: when one holds the lock until the deadline and does not listen.
    """
    while (transport := await connect_socket(paths)) is None and is_held(paths.engine_lock_file):
        if asyncio.get_running_loop().time() > deadline:
            raise _not_ending(paths)
        await asyncio.sleep(POLL_S)
    return transport


def _not_ending(paths: Paths) -> EngineUnreachableError:
    """Who signed the lock is a hint for a person and no more: the number may be another program's by now."""
    message = "An engine has closed its socket, and does not end."
    holder = lock_holder(paths.engine_lock_file)
    if holder is None:
        return EngineUnreachableError(message, f"Look who holds its lock: `lsof {paths.engine_lock_file}`")
    return EngineUnreachableError(
        f"{message} Its lock was signed by {holder}.",
        f"Look whether that is still hexcore-engine, and end it then: `ps -p {holder.pid}`",
    )


def _process(pid: int | None) -> psutil.Process | None:
    """The process as it is now: a later one with the same number is another."""
    import psutil

    try:
        return None if pid is None else psutil.Process(pid)
    except psutil.Error:
        return None


async def _ask_to_leave(transport: Transport, now: bool) -> int:
    client = await EngineClient.over(transport, client_name="stop")
    try:
        await client.call(StopEngine(now=now))
    finally:
        await client.close()
    return client.welcome.pid


async def _kill(process: psutil.Process) -> Stopped:
    import psutil

    try:
        # Looks first whether the number still means the same process.
        process.kill()
    except psutil.NoSuchProcess:
        return Stopped(process.pid)
    except psutil.AccessDenied as error:
        raise EngineUnreachableError(
            f"The engine (process {process.pid}) does not react and is another user's.",
            f"Its owner can: kill -9 {process.pid}",
        ) from error
    await wait_until_gone(process.pid, asyncio.get_running_loop().time() + KILL_TIMEOUT_S)
    return Stopped(process.pid, killed=True)
