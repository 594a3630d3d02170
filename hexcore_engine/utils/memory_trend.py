"""Whether memory grows from one answer to the next, told apart from noise and from single jumps."""

from __future__ import annotations

import itertools
import logging
import os
import statistics
from collections import deque
from collections.abc import Iterable

from hexcore_engine.utils.memory import resident_bytes

logger = logging.getLogger(__name__)

MIB = 2**20
# Answers looked at together; what grows only in the first of them is no leak.
WINDOW = 40
# Slower growth is lost in what allocators keep.
LEAST_GROWTH_BYTES = 1 * MIB


class MemoryTrend:
    """The bytes held after each of the last answers."""

    def __init__(self, window: int = WINDOW) -> None:
        self._held: deque[int] = deque(maxlen=window)

    def add(self, held_bytes: int) -> None:
        """Note what is held after one more answer."""
        self._held.append(held_bytes)

    @property
    def bytes_per_answer(self) -> float | None:
        """The growth of an answer, None before the window is full.

        The middle one of the growths between all pairs of answers (Theil and Sen): a few jumps don't move it.
        """
        if len(self._held) < (self._held.maxlen or 0):
            return None
        pairs = itertools.combinations(enumerate(self._held), 2)
        return statistics.median((later - held) / (end - begin) for (begin, held), (end, later) in pairs)

    def watch(self, pids: Iterable[int], kept_bytes: int) -> None:
        """Weigh this process and others after an answer, less `kept_bytes` that are held on purpose; memory
        that grows is logged, once a window."""
        held = resident_bytes({os.getpid(), *pids})
        self.add(held - kept_bytes)
        growth = self.bytes_per_answer
        if growth is None or growth < LEAST_GROWTH_BYTES:
            return
        logger.warning(
            "memory grew by %.1f MiB an answer over the last %d answers; %.0f MiB are held now",
            growth / MIB,
            len(self._held),
            held / MIB,
        )
        self._held.clear()
