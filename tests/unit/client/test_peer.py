"""What the kernel says of the other end of a socket, and of a lock."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hexcore_engine.client.peer import peer_pid, peer_uid
from hexcore_engine.utils.locks import is_held, try_lock

LISTENER = """
import socket, sys
listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv[1])
listening.listen()
print("listening", flush=True)
sys.stdin.read()
"""
HOLDER = """
import sys
from pathlib import Path
from hexcore_engine.utils.locks import try_lock
held = try_lock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that end with the test."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start(program: str, file: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def test_a_client_is_told_which_process_listens(tmp_path: Path, beside: list[subprocess.Popen[str]]) -> None:
    beside.append(start(LISTENER, tmp_path / "s"))
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(tmp_path / "s"))
        assert peer_pid(connection) == beside[0].pid != os.getpid()
        assert peer_uid(connection) == os.getuid()


def test_what_is_no_unix_socket_has_no_process_at_its_other_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET) as connection:
        assert peer_pid(connection) is None
    left, right = socket.socketpair()
    with left, right:
        assert peer_pid(left) == os.getpid()
        # A system whose options we don't know.
        monkeypatch.setattr(sys, "platform", "plan9")
        assert (peer_pid(left), peer_uid(left)) == (None, None)


def test_a_lock_is_held_as_long_as_its_process_lives_whatever_its_file_says(
    tmp_path: Path, beside: list[subprocess.Popen[str]]
) -> None:
    file = tmp_path / "engine.lock"
    assert not is_held(file)
    file.write_text(f"{os.getpid()} 0\n", "ascii")
    assert not is_held(file)
    beside.append(start(HOLDER, file))
    file.write_text("")
    assert is_held(file)
    assert try_lock(file) is None
    beside[0].kill()
    beside[0].wait()
    assert not is_held(file)
