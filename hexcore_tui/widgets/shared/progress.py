"""How far a piece of work is, timed here: for work whose own time is not told."""

from __future__ import annotations

import time

from hexcore_engine.protocol.progress import progress_words


class Progress:
    """One piece of work; a share smaller than the one before begins the next part of it."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._share = 0.0

    def words(self, share: float | None) -> str:
        """Return a bar for a share of 0 to 1 with the time left, or the time so far where none is known."""
        now = time.monotonic()
        if share is not None and share < self._share:
            self._since = now
        self._share = share or 0.0
        return progress_words(share, now - self._since)
