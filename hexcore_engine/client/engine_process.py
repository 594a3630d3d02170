"""The engine's process as a client sees it: starting it once, whether it listens, whether it has gone."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from hexcore_engine.client.run_folder import ensure_run_folder
from hexcore_engine.client.transports import connect_socket
from hexcore_engine.errors import EngineUnreachableError
from hexcore_engine.paths import Paths
from hexcore_engine.utils.locks import try_lock

START_TIMEOUT_S = 20.0
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
