"""First full frame in a real terminal, against that of a minimal Textual app.

The clock starts with the program and stops when one screen shows name, focused question field and footer
(on an empty home the first-run notice too); a key typed then has to appear, and its time is judged as well.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import programs
from benchmarks.harness import Bench, Target, alternate, median_ratio
from benchmarks.homes import empty_home, end_engine, environment, warm_home
from hexcore_engine.paths import Paths
from tests.integration.tui.conftest import Terminal

TARGETS = (
    Target("warm home, frame / minimal app", 1.3),
    Target("warm home, frame and key / minimal app", 1.5),
    Target("empty home, frame / minimal app", 1.3),
    Target("empty home, frame and key / minimal app", 1.5),
)
HEXCORE = (sys.executable, "-m", "hexcore_tui")
MINIMAL = (sys.executable, str(Path(programs.__file__).with_name("minimal_app.py")))
HEXCORE_FRAME = ("Hexcore", "Question", "Quit")
MINIMAL_FRAME = ("Minimal", "Question", "Quit")
FIRST_RUN_NOTICE = "hexcore setup"
KEY = "\N{LATIN SMALL LETTER SHARP S}"


def measure(bench: Bench) -> dict[str, float]:
    """Start the three in turn."""
    rounds = bench.rounds(15)
    with warm_home(bench, "warm") as warm, empty_home(bench, "empty") as empty:
        runs = [
            Start(MINIMAL, empty, MINIMAL_FRAME),
            Start(HEXCORE, warm, HEXCORE_FRAME),
            Start(HEXCORE, empty, (*HEXCORE_FRAME, FIRST_RUN_NOTICE)),
        ]
        for run in runs:
            run()
        minimal, warm_frames, empty_frames = alternate(rounds, *runs)
        minimal_keys, warm_keys, empty_keys = (run.key_times[1:] for run in runs)
    return {
        "warm home, frame / minimal app": median_ratio(warm_frames, minimal),
        "warm home, frame and key / minimal app": median_ratio(warm_keys, minimal_keys),
        "empty home, frame / minimal app": median_ratio(empty_frames, minimal),
        "empty home, frame and key / minimal app": median_ratio(empty_keys, minimal_keys),
        "minimal app, ms": statistics.median(minimal),
        "warm home, ms": statistics.median(warm_frames),
        "empty home, ms": statistics.median(empty_frames),
    }


class Start:
    """Starts a program and returns the ms until its first frame; notes those until the key appeared."""

    def __init__(self, argv: Sequence[str], home: Paths, words: Sequence[str]) -> None:
        self.key_times: list[float] = []
        self._argv = argv
        self._home = home
        self._words = words

    def __call__(self) -> float:
        """Start, look, type, quit. No engine runs before; the one the app started is ended after."""
        started = time.monotonic()
        terminal = Terminal(self._argv, environment(self._home), 80, 24)
        try:
            terminal.wait_for(lambda text: all(word in text for word in self._words))
            frame_ms = (time.monotonic() - started) * 1000
            terminal.send(KEY)
            terminal.wait_for(KEY)
            self.key_times.append((time.monotonic() - started) * 1000)
            terminal.send("\x11")
            terminal.wait_for_exit()
        finally:
            terminal.close()
            end_engine(self._home)
        return frame_ms
