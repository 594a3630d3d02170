"""Locks between processes: a file that its holder keeps locked, and that says who holds it since when."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LockHolder:
    """The process that holds a lock, and since when, in seconds since 1970."""

    pid: int
    since: float

    def __str__(self) -> str:
        return f"process {self.pid}, since {time.strftime('%H:%M:%S', time.localtime(self.since))}"


def try_lock(file: Path) -> int | None:
    """Return a descriptor that holds the lock `file` until it is closed, or None when another process
    holds it."""
    descriptor = _open(file)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    _sign(descriptor)
    return descriptor


def wait_for_lock(file: Path) -> int:
    """Like `try_lock`, and waits until it is free; Ctrl-C ends the wait."""
    descriptor = _open(file)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except BaseException:
        os.close(descriptor)
        raise
    _sign(descriptor)
    return descriptor


def is_held(file: Path) -> bool:
    """Whether a process holds the lock now, whatever its file says; a file that is missing is held by
    nobody."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two that ask at once don't take each other for a holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def lock_holder(file: Path) -> LockHolder | None:
    """Who holds a lock that is held, as its file says; None when it can't be told.

    For words on the screen alone: the file may be old or changed, and its process id another's by now.
    """
    try:
        pid, since = file.read_text("ascii").split()
        return LockHolder(int(pid), float(since))
    except (OSError, ValueError):
        return None


def _open(file: Path) -> int:
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _sign(descriptor: int) -> None:
    # On a full disk the lock holds all the same.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {time.time():.0f}\n".encode(), 0)
