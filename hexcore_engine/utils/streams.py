"""The three standard streams, as they are on machines of all kinds."""

from __future__ import annotations

import io
import sys


def take_any_bytes() -> None:
    """Read bytes that are no text, and write letters that the terminal lacks, as a sign that stands for them:
    neither is a reason to fail."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
