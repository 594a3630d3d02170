"""Driving the probed app in a real terminal, and reading what its probes saw."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import programs
from benchmarks.homes import environment
from hexcore_engine.paths import Paths
from tests.integration.tui.conftest import Terminal

PROGRAM = (sys.executable, str(Path(programs.__file__).with_name("probed_app.py")))
FIRST_FRAME = ("Hexcore", "Question", "Quit")
QUIT_KEY = "\x11"
Window = tuple[float, float]


@dataclass
class ProbedApp:
    """The app on its terminal; the lists are filled when it has ended."""

    terminal: Terminal
    beats: list[tuple[float, float, float]]
    paints: list[float]
    lists: list[tuple[float, str]]

    def watch(self, seconds: float) -> Window:
        """Let it run on, read what it draws, and return when that was."""
        started = time.monotonic()
        self.terminal.wait_for(lambda _: time.monotonic() >= started + seconds, seconds + 10)
        return started, time.monotonic()

    def lateness(self, windows: list[Window]) -> list[float]:
        """Return how late the heartbeat was in each of its beats within `windows`, ms."""
        return [late for at, late, _ in self.beats if any(start <= at <= end for start, end in windows)]

    def computing(self, windows: list[Window]) -> list[float]:
        """Return how long the loop's thread computed between two beats within `windows`, ms: what it was
        late without the rest of the machine."""
        return [own for at, _, own in self.beats if any(start <= at <= end for start, end in windows)]


@contextmanager
def probed_app(paths: Paths, period_ms: float, **variables: str) -> Iterator[ProbedApp]:
    """Open the app with a heartbeat of `period_ms`; leaving closes it and reads the report."""
    report = paths.home / "probes.json"
    variables = {"COLUMNS": "", "PYTHONPATH": str(Path(__file__).parent.parent)} | variables
    terminal = Terminal([*PROGRAM, str(report), str(period_ms)], environment(paths, **variables), 100, 32)
    app = ProbedApp(terminal, [], [], [])
    try:
        terminal.wait_for(lambda text: all(word in text for word in FIRST_FRAME))
        yield app
        terminal.send(QUIT_KEY)
        terminal.wait_for_exit()
    finally:
        terminal.close()
    seen = json.loads(report.read_text("utf-8"))
    app.beats += [(at, late, own) for at, late, own in seen["beats"]]
    app.paints += seen["paints"]
    app.lists += [(at, words) for at, words in seen["lists"]]
