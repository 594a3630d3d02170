"""When a terminal counts as gone."""

from __future__ import annotations

import os
import pty

from hexcore_tui.textual_gaps import _is_gone


def test_a_terminal_is_gone_once_its_other_end_was_closed_and_no_sooner() -> None:
    theirs, ours = pty.openpty()
    try:
        assert not _is_gone(ours)
        os.write(theirs, b"a\n")
        assert not _is_gone(ours)
        os.close(theirs)
        assert _is_gone(ours)
    finally:
        os.close(ours)


def test_what_the_system_can_not_poll_does_not_count_as_gone() -> None:
    theirs, ours = pty.openpty()
    os.close(theirs)
    os.close(ours)
    assert not _is_gone(ours)
