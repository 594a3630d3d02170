from __future__ import annotations

import os
import pty
import threading

from hexcore_tui.textual_gaps import LastingWriter


def test_what_is_written_to_a_terminal_that_is_gone_keeps_nobody_waiting() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as file:
        writer = LastingWriter(file)
        writer.start()
        writer.write("seen")
        assert os.read(ours, 4) == b"seen"
        os.close(ours)

        def write_much() -> None:
            for _ in range(200):
                writer.write("unseen")
            writer.stop()

        # On a thread, so that a writer that waits for ever fails here.
        writing = threading.Thread(target=write_much, daemon=True)
        writing.start()
        writing.join(20)
        assert not writing.is_alive()
        assert not writer.is_alive()
        os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())
