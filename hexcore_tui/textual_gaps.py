"""Work-arounds for gaps of the framework, each with the version it was needed in."""

from __future__ import annotations

import asyncio
import contextlib
import select
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

from rich._wrap import divide_line
from rich.segment import Segments
from textual import constants, content
from textual.binding import BindingsMap, BindingType
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.drivers import linux_driver
from textual.drivers._writer_thread import WriterThread
from textual.events import Key
from textual.geometry import Size
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.widget import Widget
from textual.widgets import Input, OptionList, TextArea
from textual.worker import WorkerFailed


def on_hangup(leave: Callable[[], None]) -> None:
    """Call `leave` when the terminal goes away. Textual 8.2: its Linux driver ignores SIGHUP and spins on a
    dead terminal. The signal reaches the first process of a session only, which may be a `make` or a script
    that waits for the app, so the input is watched too."""
    loop = asyncio.get_running_loop()
    AttentiveSelector.hung_up = partial(loop.call_soon_threadsafe, leave)
    # Not available in the thread or on the platform some tests run in.
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGHUP, leave)


# How often a dead terminal is looked at until the app has ended.
GONE_PAUSE_S = 0.1


class AttentiveSelector(selectors.SelectSelector):
    """Waits no longer than an Esc may take once something was read, and tells when the terminal is gone."""

    hung_up: Callable[[], object] | None = None
    _has_read = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what can be read within `timeout` seconds, or sooner nothing."""
        ready = super().select(constants.ESCAPE_DELAY + 0.002 if self._has_read else timeout)
        self._has_read = bool(ready)
        if not any(_is_gone(key.fd) for key, _ in ready):
            return ready
        if self.hung_up is not None:
            # Told once; a loop that has ended needs no telling.
            with contextlib.suppress(RuntimeError):
                self.hung_up()
            self.hung_up = None
        # There is nothing to read any more, at once and for ever.
        time.sleep(GONE_PAUSE_S)
        return []


def _is_gone(descriptor: int) -> bool:
    """Whether the other end of a terminal was closed."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    # Not POLLNVAL: macOS answers so for a terminal that is there.
    return any(event & select.POLLHUP for _, event in poll.poll(0))


class LastingWriter(WriterThread):
    """Writes to the terminal, and goes on taking what is written once the terminal is gone. Textual 8.2: its
    own thread dies then, and the app waits for ever as soon as 30 writes stand in the queue."""

    def run(self) -> None:
        """Write until told to stop."""
        is_gone = False
        while (text := self._queue.get()) is not None:
            if is_gone:
                continue
            try:
                self._file.write(text)
                if self._queue.qsize() == 0:
                    self._file.flush()
            except (OSError, ValueError):
                is_gone = True
        with contextlib.suppress(OSError, ValueError):
            self._file.flush()


def outlive_terminal() -> None:
    """Let the app end when its terminal is gone, however much it still had to write."""
    linux_driver.WriterThread = LastingWriter  # type: ignore[attr-defined]


def hear_escape_soon() -> None:
    """Let Esc count as soon as ESCDELAY has passed. Textual 8.2: its input thread looks up every 100 ms."""
    linux_driver.selectors = SimpleNamespace(  # type: ignore[attr-defined, assignment]
        SelectSelector=AttentiveSelector, EVENT_READ=selectors.EVENT_READ
    )


def write_crash_file(error: BaseException, folder: Path) -> Path | None:
    """Write where `error` came from, without any value or message: both may hold the user's words.

    Textual 8.2 prints local variables, prompts included, when an exception is not handled. Returns the file,
    or None when it could not be written.
    """
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    file = folder / f"crash-{moment}.txt"
    lines = [f"Hexcore, Python {sys.version.split()[0]}, {moment}"]
    chain: BaseException | None = error.error if isinstance(error, WorkerFailed) else error
    while chain is not None:
        lines.append(f"\n{type(chain).__module__}.{type(chain).__qualname__}")
        lines += [
            f"  {frame.filename}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(chain.__traceback__)
        ]
        chain = chain.__cause__ or chain.__context__
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", "utf-8")
    except OSError:
        return None
    return file


_move_page = OptionList._move_page


def _divide_line_somehow(text: str, width: int, fold: bool = True) -> list[int]:
    return divide_line(text, max(1, width), fold)


def _move_page_if_seen(options: OptionList, direction: Literal[-1, 1]) -> None:
    if options.scrollable_content_region:
        _move_page(options, direction)


def bear_no_room() -> None:
    """Let a window too small for a single letter of a widget be. Textual 8.2: a placeholder or a list that is
    left no cell ends the app with a ValueError, and Page Up in the palette then with a KeyError."""
    content.divide_line = _divide_line_somehow  # type: ignore[attr-defined]
    OptionList._move_page = _move_page_if_seen  # type: ignore[method-assign, assignment]


def show_length(view: ScrollView, num_lines: int) -> None:
    """Give `view` as many lines to scroll through.

    Textual 8.2 lays the whole screen out anew when that number changes; the view's own size stays the same,
    so its scrollbar is all that has to follow.
    """
    size = Size(0, num_lines)
    view.set_reactive(Widget.virtual_size, size)
    view._scroll_update(size)


class FrugalStylesheet(Stylesheet):
    """Parses each source once for a set of colours.

    Textual 8.2 parses everything four times before the first frame: with a theme chosen, a screen loaded, and
    twice more in between.
    """

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take other colours; the same ones change nothing."""
        if variables != self._variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        """Put the rules together anew from what was parsed with the present colours."""
        self.parse()


class QuietScrollBar(ScrollBarRender):
    """Draws nothing where all is in sight.

    Textual 8.2: a scrollbar that comes or goes lays the whole screen out anew, and one that always stays is
    drawn full where there is nothing to scroll.
    """

    @classmethod
    def render_bar(
        cls,
        size: int = 25,
        virtual_size: float = 50,
        window_size: float = 20,
        *position_and_looks: Any,
        **looks: Any,
    ) -> Segments:
        """Return the cells of the bar."""
        length = virtual_size if virtual_size > window_size else 0
        return super().render_bar(size, length, window_size, *position_and_looks, **looks)


def quieten_scrollbars() -> None:
    """Let a scrollbar that always stays show nothing while all is in sight."""
    ScrollBar.renderer = QuietScrollBar


def paint_now(screen: Screen[Any], *changed: Widget) -> None:
    """Paint `changed` without waiting for the next tick.

    Textual 8.2 paints at the ticks of a clock of 60 Hz: the echo of a key takes one, and the list that
    answers it would wait for another.
    """
    screen._dirty_widgets.update(changed)
    screen._on_timer_update()


def add_bindings(node: DOMNode, bindings: Iterable[BindingType]) -> None:
    """Give one node further keys. Textual 8.2: only a class can have them."""
    node._bindings = BindingsMap.merge([node._bindings, BindingsMap(bindings)])


def type_late(focused: Widget | None, event: Key) -> bool:
    """Give a letter that no widget wanted to the field that has the focus by now; say whether there is one.

    Textual 8.2 decides which widget a key goes to when it is read: `/blocker`, read at once, would open a
    search and lose its words.
    """
    if not event.is_printable or not isinstance(focused, Input | TextArea):
        return False
    hand_on(focused, event)
    return True


async def act_now(focused: Widget, event: Key) -> bool:
    """Carry out what a key is bound to before the next key is looked at; say whether it was bound.

    Textual 8.2 looks for a binding only once the key has gone through the queues of all that the field stands
    in, while letters and Enter typed behind it count at once: Up and Enter, read together, would lose the
    Enter. Not Esc: what it closes may hold the field itself.
    """
    if event.is_printable or event.key == "escape":
        return False
    return await focused.app._check_bindings(event.key)


def hand_on(focused: Widget, event: Key) -> None:
    """Give a key to the widget that has the focus by now."""
    # One of its own: what is prevented here would be prevented there.
    focused._forward_event(Key(event.key, event.character))
