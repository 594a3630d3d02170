"""When Python looks for unreachable objects: not while the app starts, never among what it started with, and
rather in the pauses between keys than while one is answered.

A search of everything holds the event loop for 60 to 80 ms once the app stands (Python 3.11); what is left to
search takes a few.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

# Where no pause comes: Python's own numbers, but a search among what survived one after four times as many
# (it takes 2 to 4 ms), and one of everything (8 to 12 ms) after thirty times as many.
THRESHOLDS = (700, 40, 300)
# After how many searches of the smaller kind the next larger one is made in a pause.
YOUNG, OLD = 6, 20
# So soon after a key its answer is painted, and after so long whoever types is thinking.
SHORT_PAUSE_S, LONG_PAUSE_S = 0.03, 0.7


def postpone() -> None:
    """Search for nothing until `resume`."""
    gc.disable()


def resume() -> None:
    """Search again, but among what is made from now on; does nothing where it was not postponed."""
    if not gc.isenabled():
        set_aside()
        gc.set_threshold(*THRESHOLDS)
        gc.enable()


def set_aside() -> None:
    """Never search among what there is now: for what stays as long as the app."""
    gc.freeze()


class Pauses:
    """Searches between keys, so that a search and an answer to a key don't come on top of each other."""

    def __init__(self) -> None:
        self._next: asyncio.TimerHandle | None = None

    def key_came(self) -> None:
        """Put searches off until this key is answered."""
        if gc.isenabled():
            self._after(SHORT_PAUSE_S, self._search_young)

    def close(self) -> None:
        """Search no more."""
        if self._next is not None:
            self._next.cancel()

    def _after(self, pause_s: float, search: Callable[[], None]) -> None:
        self.close()
        self._next = asyncio.get_running_loop().call_later(pause_s, search)

    def _search_young(self) -> None:
        if gc.get_count()[1] >= YOUNG:
            gc.collect(1)
        self._after(LONG_PAUSE_S, self._search_all)

    def _search_all(self) -> None:
        if gc.get_count()[2] >= OLD:
            gc.collect()
