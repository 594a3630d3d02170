"""Record the demo in a terminal of its own: `python scripts/cast.py` writes docs/pictures/demo.cast
(asciicast v2), `python scripts/cast.py --play` shows it.

A real run of `hexcore-tui --demo` on a pty, its keys pressed by the script below once the screen shows what
each step waits for. No path, no machine's name and no clock of its own is in it.
"""

from __future__ import annotations

import argparse
import codecs
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyte

ROOT = Path(__file__).resolve().parent.parent
CAST = ROOT / "docs" / "pictures" / "demo.cast"
COLUMNS, ROWS = 100, 30
# A step that its screen never shows is a defect of the script or the app, not a slow machine.
STEP_TIMEOUT_S = 60.0
# What is written within this time is one event of the recording.
JOIN_S = 0.02
# Between two typed letters, as a person would.
TYPING_S = 0.09
# However long the machine took, a viewer waits no longer than this where nothing is typed or read.
MOST_IDLE_S = 3.0


class Step(NamedTuple):
    """Wait until the screen shows `seen`, let it stand for `pause_s` seconds, then press `keys`."""

    seen: str
    pause_s: float
    keys: str


F3, F4, TAB, ENTER, ESCAPE, CONTROL_Q = "\x1bOR", "\x1bOS", "\t", "\r", "\x1b", "\x11"
# The memory screen has no part in it: it shows the machine's own figures and folders.
SCRIPT = (
    Step("how much damage must each blocker get?", 1.5, ENTER),
    Step("One damage is enough", 2.5, TAB),
    Step("Enter Open", 1.0, ENTER),
    Step("Esc Close", 3.0, ESCAPE),
    Step("Esc Back", 1.0, F3),
    Step("Name of a card", 0.7, "t:creature mv<=3"),
    Step("3 found", 2.5, F4),
    Step("A number, words", 0.7, "trample"),
    Step("702.19", 3.0, CONTROL_Q),
)
Event = tuple[float, str]


def record(argv: Sequence[str], script: Sequence[Step] = SCRIPT) -> list[Event]:
    """Run a program on a pty, press the script's keys, and return what it wrote: seconds since its start and
    text, idle times cut to `MOST_IDLE_S`.

    Raises:
        TimeoutError: when a step's words never come, with the screen at the end.
    """
    pid, descriptor = pty.fork()
    if pid == 0:
        os.execvpe(argv[0], list(argv), _environment())
    try:
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        recorder = _Recorder(descriptor)
        for step in script:
            recorder.wait_for(step.seen)
            recorder.watch(step.pause_s)
            for key in [step.keys] if step.keys.startswith("\x1b") else step.keys:
                os.write(descriptor, key.encode())
                recorder.watch(TYPING_S)
        recorder.watch_to_the_end()
        return recorder.events
    finally:
        os.close(descriptor)
        if os.waitpid(pid, os.WNOHANG)[0] == 0:
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)


class _Recorder:
    """Reads a pty; knows what its screen shows."""

    def __init__(self, descriptor: int) -> None:
        self.events: list[Event] = []
        self._descriptor = descriptor
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.Stream(self._screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._written_at = time.monotonic()
        self._time = 0.0

    def wait_for(self, seen: str) -> None:
        deadline = time.monotonic() + STEP_TIMEOUT_S
        while seen not in "\n".join(self._screen.display):
            if time.monotonic() > deadline or not self._read(0.05):
                shown = "\n".join(self._screen.display)
                raise TimeoutError(f"{seen!r} was not seen; the screen shows:\n{shown}")

    def watch(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._read(left)

    def watch_to_the_end(self) -> None:
        deadline = time.monotonic() + STEP_TIMEOUT_S
        while self._read(0.2) and time.monotonic() < deadline:
            pass

    def _read(self, timeout_s: float) -> bool:
        """Read what is written within `timeout_s`; False once the program has ended."""
        if not select.select([self._descriptor], [], [], timeout_s)[0]:
            return True
        now, data = time.monotonic(), b""
        try:
            while select.select([self._descriptor], [], [], JOIN_S)[0]:
                piece = os.read(self._descriptor, 65536)
                data += piece
                if not piece:
                    break
        except OSError:
            # Linux says so where the other side is closed.
            if not data:
                return False
        text = self._decoder.decode(data)
        self._time += min(now - self._written_at, MOST_IDLE_S)
        self._written_at = now
        self.events.append((round(self._time, 2), text))
        self._stream.feed(text)
        return bool(data)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "TMPDIR", "LANG") if name in os.environ}
    return kept | {"TERM": "xterm-256color"}


def cast_text(events: Sequence[Event]) -> str:
    """Return a recording in the format asciicast v2: a header, then an event a line."""
    header = {"version": 2, "width": COLUMNS, "height": ROWS, "title": "hexcore-tui --demo"}
    lines: list[object] = [header, *([seconds, "o", text] for seconds, text in events)]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def read_cast(text: str) -> Iterator[Event]:
    """Yield the output events of a recording.

    Raises:
        ValueError: when it is no asciicast v2.
    """
    header, *lines = (json.loads(line) for line in text.splitlines())
    if not isinstance(header, dict) or header.get("version") != 2:
        raise ValueError("this is no asciicast of version 2")
    yield from ((float(seconds), str(words)) for seconds, kind, words in lines if kind == "o")


def play(events: Iterator[Event]) -> None:
    """Write a recording to this terminal as fast as it was made."""
    shown_s = 0.0
    for seconds, text in events:
        time.sleep(max(0.0, seconds - shown_s))
        shown_s = seconds
        sys.stdout.write(text)
        sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Record the demo, or with --play show the recording."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--play", action="store_true", help="show the recording on this terminal")
    if parser.parse_args(arguments).play:
        play(read_cast(CAST.read_text("utf-8")))
        return 0
    events = record((sys.executable, "-m", "hexcore_tui", "--demo"))
    CAST.write_text(cast_text(events), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
