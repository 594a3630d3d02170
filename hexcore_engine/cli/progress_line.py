"""One line of a terminal that is written anew while something takes its time."""

from __future__ import annotations

import shutil
import sys

CLEAR_LINE = "\r\x1b[K"


class ProgressLine:
    """Shows on stderr where that is a terminal, and leaves nothing behind."""

    def __init__(self, wanted: bool = True) -> None:
        self._works = wanted and sys.stderr.isatty()
        self._shown = False

    def show(self, words: str) -> None:
        """Replace what stands in the line."""
        if self._works:
            # A line that wraps could not be taken back.
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"{CLEAR_LINE}{words[:width]}")
            sys.stderr.flush()
            self._shown = True

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write(CLEAR_LINE)
            sys.stderr.flush()
            self._shown = False
