"""Who is at the other end of a Unix socket, as the kernel names it: nothing that a file or the peer says."""

from __future__ import annotations

import socket
import struct
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class _Answer:
    """A socket option, the form of what it gives, and the place in it."""

    level: int
    option: int
    form: str
    place: int


# Linux: SO_PEERCRED (17) gives pid, uid, gid of whoever connected or, seen from a client, began to listen.
# macOS: SOL_LOCAL (0) with LOCAL_PEERCRED (1) gives version, uid, …, with LOCAL_PEERPID (2) the pid alone.
_UID = {"linux": _Answer(socket.SOL_SOCKET, 17, "3i", 1), "darwin": _Answer(0, 1, "2I", 1)}
_PID = {"linux": _Answer(socket.SOL_SOCKET, 17, "3i", 0), "darwin": _Answer(0, 2, "i", 0)}


def peer_uid(connection: socket.socket) -> int | None:
    """Return the user id of the process at the other end; None where the system can't tell."""
    return _ask(connection, _UID.get(sys.platform))


def peer_pid(connection: socket.socket) -> int | None:
    """Return the process id of the other end, of the process that listens where a client asks; None where
    the system can't tell, and for a process that can't be seen from here (another container's)."""
    return _ask(connection, _PID.get(sys.platform)) or None


def _ask(connection: socket.socket, answer: _Answer | None) -> int | None:
    if answer is None:
        return None
    try:
        data = connection.getsockopt(answer.level, answer.option, struct.calcsize(answer.form))
        return int(struct.unpack(answer.form, data)[answer.place])
    except (OSError, struct.error):
        return None
