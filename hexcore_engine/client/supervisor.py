"""The life of the engine process as a client sees it: starting it once, asking how it is, ending it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from hexcore_engine.client.locks import lock_holder, try_lock
from hexcore_engine.client.run_folder import ensure_run_folder
from hexcore_engine.client.transports import Transport, connect_socket
from hexcore_engine.errors import EngineUnreachableError
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.records import EngineRecord

START_TIMEOUT_S = 20.0
KILL_TIMEOUT_S = 5.0
POLL_S = 0.01
# With less the engine can't write its log, so the log can't say why it ended.
LEAST_FREE_BYTES = 100_000
ENGINE_COMMAND = (sys.executable, "-m", "hexcore_engine.service.process")


async def start_engine(paths: Paths) -> None:
    """Start an engine and wait until it listens; when another client is starting one, wait for that.

    Raises:
        EngineUnreachableError: when it does not listen in time, with the last line of its log.
    """
    ensure_run_folder(paths)
    deadline = time.monotonic() + START_TIMEOUT_S
    process: subprocess.Popen[bytes] | None = None
    lock: int | None = None
    try:
        while not await is_listening(paths):
            if lock is None:
                lock = try_lock(paths.start_lock_file)
                if lock is not None:
                    process = _launch(paths)
            elif process is not None and process.poll() is not None:
                # It left at once: another engine was still holding the lock, or it broke.
                if process.returncode != 0 or time.monotonic() > deadline:
                    raise EngineUnreachableError(
                        f"The engine ended as it started (exit code {process.returncode}): {_log_tail(paths)}"
                    )
                await asyncio.sleep(0.1)
                process = _launch(paths)
            if time.monotonic() > deadline:
                raise EngineUnreachableError(
                    f"The engine did not start in {START_TIMEOUT_S:.0f} s: {_log_tail(paths)}"
                )
            await asyncio.sleep(POLL_S)
    finally:
        if lock is not None:
            os.close(lock)


async def is_listening(paths: Paths) -> bool:
    """Whether an engine accepts connections now."""
    transport = await connect_socket(paths)
    if transport is None:
        return False
    await transport.close()
    return True


async def engine_status(paths: Paths) -> EngineRecord | None:
    """Ask a running engine how it is; None when none runs."""
    from hexcore_engine.client.client import EngineClient
    from hexcore_engine.protocol.events import EngineReported
    from hexcore_engine.protocol.requests import EngineStatus

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
    from hexcore_engine.client.client import EngineClient
    from hexcore_engine.protocol.requests import StopEngine

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


async def wait_until_gone(pid: int, deadline: float) -> None:
    """Wait until a process has ended; `deadline` in the running loop's time.

    Raises:
        EngineUnreachableError: when it is still there then.
    """
    while _is_alive(pid):
        if asyncio.get_running_loop().time() > deadline:
            raise EngineUnreachableError(f"The engine (process {pid}) does not leave.", f"End it: kill {pid}")
        await asyncio.sleep(POLL_S * 2)


def _launch(paths: Paths) -> subprocess.Popen[bytes]:
    paths.log_dir.mkdir(parents=True, exist_ok=True)
    with paths.engine_log_file.open("ab") as log:
        return subprocess.Popen(
            ENGINE_COMMAND,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env={**os.environ, "HEXCORE_HOME": str(paths.home)} if _home_is_set() else None,
        )


def _home_is_set() -> bool:
    # A relative HEXCORE_HOME would mean another folder in the engine's own working directory.
    return bool(os.environ.get("HEXCORE_HOME", "").strip())


def _log_tail(paths: Paths) -> str:
    try:
        lines = Path(paths.engine_log_file).read_text("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    if lines:
        return lines[-1][:300]
    full = shutil.disk_usage(paths.home).free < LEAST_FREE_BYTES
    return f"the disk that holds {paths.home} is full." if full else "its log is empty."


def _is_alive(pid: int) -> bool:
    try:
        # A child of ours that ended stays until it is waited for.
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _has_ended(pid)


def _has_ended(pid: int) -> bool:
    """Whether a process has ended and nobody waited for it yet: in a container without an init, that stays
    so."""
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
        num_threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except OSError:
        # Not Linux, or gone by now; the next look tells.
        return False
    # The name before it may hold anything, a closing bracket too. While another thread is still ending,
    # socket and lock are still held.
    return status.rpartition(b") ")[2][:1] in (b"Z", b"X") and num_threads <= 1
