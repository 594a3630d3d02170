"""A real terminal for the app: a pty that pyte reads."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyte
import pytest

from hexcore_engine.client.supervisor import stop_engine
from hexcore_engine.data.demo import build_demo
from hexcore_engine.paths import Paths
from tests.conftest import living_below

ENGINE_VARIABLES = {
    "HEXCORE_MODEL_PATH": "scripted",
    "HEXCORE_SCRIPTED_RATE": "150",
    "HEXCORE_OFFLINE": "1",
}
PROGRAM = (sys.executable, "-m", "hexcore_tui")
CONTROL_N = "\x0e"


class Terminal:
    """A program on a pty of its own; `raw` holds every byte it wrote."""

    def __init__(self, argv: Sequence[str], environment: dict[str, str], columns: int, rows: int) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        self.exit_code: int | None = None
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], list(argv), environment)
        self._tell_size(columns, rows)

    @property
    def text(self) -> str:
        """What a person sees now."""
        return "\n".join(self._screen.display)

    def send(self, keys: str) -> None:
        """Type."""
        data = keys.encode()
        while data:
            self._read(0)
            data = data[os.write(self._descriptor, data[:4096]) :]

    def resize(self, columns: int, rows: int) -> None:
        """Make the window larger or smaller."""
        self._screen.resize(rows, columns)
        self._tell_size(columns, rows)

    def wait_for(self, seen: str | Callable[[str], bool], timeout_s: float = 20.0) -> str:
        """Read until the screen shows it; fail with the screen when it does not come."""
        look = (lambda text: seen in text) if isinstance(seen, str) else seen
        deadline = time.monotonic() + timeout_s
        while not look(self.text):
            if time.monotonic() > deadline or not self._read(0.05):
                pytest.fail(f"{seen!r} was not seen; the screen shows:\n{self.text}")
        return self.text

    def wait_for_exit(self, timeout_s: float = 20.0) -> int:
        """Read until the program ended and return its exit code, negative for a signal."""
        deadline = time.monotonic() + timeout_s
        while self.exit_code is None:
            if time.monotonic() > deadline:
                pytest.fail(f"the program did not end; the screen shows:\n{self.text}")
            self._read(0.05)
            self._reap(os.WNOHANG)
        return self.exit_code

    def hang_up(self) -> None:
        """Take the terminal away, as a dropped line does."""
        os.close(self._descriptor)
        self._descriptor = -1

    def close(self) -> None:
        """End the program for good."""
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGKILL)
            self._reap(0)
        if self._descriptor >= 0:
            self.hang_up()

    def _tell_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self, timeout_s: float) -> bool:
        if self._descriptor < 0:
            time.sleep(timeout_s)
            return True
        ready, _, _ = select.select([self._descriptor], [], [], timeout_s)
        if not ready:
            return True
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)

    def _reap(self, flags: int) -> None:
        pid, status = os.waitpid(self.pid, flags)
        if pid:
            self.exit_code = os.waitstatus_to_exitcode(status)


def ask_then_begin_anew(terminal: Terminal, question: str) -> None:
    """Ask, wait for the whole answer, and begin a new conversation."""
    terminal.send(f"{question}\r")
    terminal.wait_for("tokens/s")
    terminal.send(CONTROL_N)
    # The answer's figures must be gone before those of another are waited for.
    terminal.wait_for(lambda text: "Ask a rules question below" in text and "tokens/s" not in text)


def stop_all_below(paths: Paths, timeout_s: float = 20.0) -> None:
    """Stop a home's engine, one still starting too."""
    deadline = time.monotonic() + timeout_s
    while living_below(str(paths.home)):
        assert time.monotonic() < deadline, "an engine does not leave"
        asyncio.run(stop_engine(paths))
        time.sleep(0.05)


OpenTerminal = Callable[..., Terminal]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def paths(home: Path) -> Paths:
    return Paths(home=home, config_dir=home / "config", log_dir=home / "log")


@pytest.fixture
def engine_home(empty_home: Paths) -> Paths:
    """A home with the demo's cards and rules, in which engines answer by script."""
    build_demo(empty_home.knowledge_dir)
    return empty_home


@pytest.fixture
def empty_home(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Iterator[Paths]:
    """An empty home in which engines answer by script; none outlives the test."""
    for name in [name for name in os.environ if name.startswith("HEXCORE_")]:
        monkeypatch.delenv(name)
    for name, value in ENGINE_VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HEXCORE_HOME", str(paths.home))
    yield paths
    stop_all_below(paths)


@pytest.fixture
def open_terminal(paths: Paths) -> Iterator[OpenTerminal]:
    """Opens programs on ptys of their own, with this test's HEXCORE_HOME and no network; neither they nor
    their engine outlive the test."""
    opened: list[Terminal] = []

    def open_one(
        *options: str, columns: int = 80, rows: int = 24, argv: Sequence[str] = PROGRAM, **variables: str
    ) -> Terminal:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HEXCORE_")}
        environment |= {"TERM": "xterm-256color", "HEXCORE_HOME": str(paths.home), **ENGINE_VARIABLES}
        environment.pop("SSH_CONNECTION", None)
        environment.pop("NO_COLOR", None)
        terminal = Terminal([*argv, *options], environment | variables, columns, rows)
        opened.append(terminal)
        return terminal

    yield open_one
    for terminal in opened:
        terminal.close()
    stop_all_below(paths)
