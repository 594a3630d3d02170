"""A line of a terminal that is written anew."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pyte
import pytest

from hexcore_engine.cli.progress_line import ProgressLine

SCRIPT = """
from hexcore_engine.cli.progress_line import ProgressLine
line = ProgressLine()
line.show("half " + "x" * 200)
line.show("nearly done")
line.clear()
import sys
sys.stderr.write("done")
"""


def test_it_replaces_itself_is_cut_at_the_edge_and_leaves_nothing_behind() -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run([sys.executable, "-c", SCRIPT], stderr=theirs, check=False, timeout=60)
    assert done.returncode == 0
    written = os.read(ours, 4096)
    os.close(ours)
    os.close(theirs)
    screen = pyte.Screen(80, 5)
    pyte.ByteStream(screen).feed(written)
    assert b"half" in written
    assert b"nearly done" in written
    assert [line.strip() for line in screen.display] == ["done", "", "", "", ""]


def test_what_is_no_terminal_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    line = ProgressLine()
    line.show("half")
    line.clear()
    assert capsys.readouterr().err == ""
