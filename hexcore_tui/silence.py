"""Notices an engine that says nothing: stopped, hung, or on a machine that is out of memory.

Whoever expects something of the engine says so; meanwhile it is asked how it is, which it answers at once
whatever its model does. An idle app asks nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator

from hexcore_tui.actions import first_key

# A living engine answers within milliseconds; a line over the sea, or a machine that swaps, within these.
SILENT_AFTER_S = 4.0
ASK_EVERY_S = 1.0


def silent_words() -> str:
    """Return what to tell of an engine that says nothing."""
    palette = first_key("command_palette", "everywhere")
    return (
        f"The engine has said nothing for {SILENT_AFTER_S:.0f} s: it is stopped, hung, or its machine is "
        f"overloaded. Wait, or restart it: {palette}, Restart engine."
    )


class SilenceWatch:
    """Asks how the engine is while something is expected of it."""

    def __init__(self, ask: Callable[[], Awaitable[object]], tell: Callable[[bool], None]) -> None:
        """`ask` returns once the engine has answered, or raises where it is gone, which others tell; `tell`
        hears True when no answer comes, and False when one comes after all."""
        self._ask = ask
        self._tell = tell
        self._num_expected = 0
        self._asking: asyncio.Task[None] | None = None
        self.is_silent = False

    @contextlib.contextmanager
    def expecting(self) -> Iterator[None]:
        """In this block something is expected of the engine."""
        self._num_expected += 1
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            self._num_expected -= 1

    def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()

    def fall_silent(self) -> None:
        """It did not answer."""
        if not self.is_silent:
            self.is_silent = True
            self._tell(True)

    def hear(self) -> None:
        """It answered, or another one is there."""
        if self.is_silent:
            self.is_silent = False
            self._tell(False)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            if not self._num_expected:
                return
            answer = asyncio.ensure_future(self._ask())
            try:
                if not (await asyncio.wait({answer}, timeout=SILENT_AFTER_S))[0]:
                    self.fall_silent()
                with contextlib.suppress(Exception):
                    await answer
                    self.hear()
            finally:
                answer.cancel()
