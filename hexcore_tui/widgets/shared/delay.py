"""Doing something once a burst of events is over."""

from __future__ import annotations

from collections.abc import Callable

from textual.message_pump import MessagePump
from textual.timer import Timer

# Shorter than a reader minds, longer than the pause between two keys held down or typed fast.
PREVIEW_DELAY_S = 0.1


class Delay:
    """Calls the newest callback once nothing newer came for `delay_s` seconds."""

    def __init__(self, pump: MessagePump, delay_s: float = PREVIEW_DELAY_S) -> None:
        self._pump = pump
        self._delay_s = delay_s
        self._timer: Timer | None = None

    def call(self, callback: Callable[[], None]) -> None:
        """Call `callback` soon, instead of the one still waiting."""
        self.cancel()
        self._timer = self._pump.set_timer(self._delay_s, callback)

    def cancel(self) -> None:
        """Forget the one still waiting."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
