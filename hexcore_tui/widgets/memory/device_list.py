"""All devices with their parts, and the engine's share over time."""

from __future__ import annotations

from collections import deque

from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from hexcore_engine.protocol.records import Snapshot
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.facts import size_text
from hexcore_tui.host import host
from hexcore_tui.widgets.memory.parts import MUTED, device_content, engine_bytes

HISTORY_LENGTH = 120
LEVELS = " ▁▂▃▄▅▆▇█"
PLOT_ROWS = 4
PLOT_STYLE = "$memory-weights"
PLAIN_LEVELS = " .:-=+*#"


class DeviceList(Widget):
    """Draws the newest snapshot and remembers the engine's size in those before it."""

    DEFAULT_CSS = """
    DeviceList { height: auto; padding: 0 1; }
    """

    snapshot: reactive[Snapshot | None] = reactive(None, layout=True)
    problem: reactive[str] = reactive("", layout=True)

    def __init__(self) -> None:
        super().__init__()
        self._history: deque[int] = deque(maxlen=HISTORY_LENGTH)

    def watch_snapshot(self, snapshot: Snapshot | None) -> None:
        """Remember the engine's size."""
        if snapshot is not None:
            self._history.append(engine_bytes(snapshot.devices))

    def render(self) -> Content:
        """Devices first, then what is to be said about GPUs, then the history."""
        if self.problem:
            return Content(clean_line(self.problem)).stylize("$error")
        if self.snapshot is None:
            return Content("Waiting for the engine to measure …").stylize(MUTED)
        unicode = host(self).profile.unicode
        width = self.content_size.width or self.app.size.width
        parts = [device_content(device, width, unicode) for device in self.snapshot.devices]
        if self.snapshot.gpu_note:
            note = clean_line(self.snapshot.gpu_note)
            parts.append(Content(f"{note[:1].upper()}{note[1:]}.").stylize(MUTED))
        parts.append(history_content(tuple(self._history), width, unicode))
        return Content("\n\n").join(parts)


class DeviceScroll(VerticalScroll, can_focus=True):
    """Scrolls the devices with the arrow keys."""

    DEFAULT_CSS = """
    DeviceScroll { height: 1fr; scrollbar-size-vertical: 1; }
    DeviceScroll:focus { background-tint: $foreground 3%; }
    """


def history_content(sizes: tuple[int, ...], width: int, unicode: bool) -> Content:
    """Return the engine's size over the last samples as a plot, with the newest and the peak above it."""
    if not sizes:
        return Content("")
    peak = max(sizes)
    words = f"Engine {size_text(sizes[-1])}, peak {size_text(peak)} in the last {len(sizes)} looks"
    levels = LEVELS if unicode else PLAIN_LEVELS
    steps = len(levels) - 1
    heights = [round(size / peak * steps * PLOT_ROWS) if peak else 0 for size in sizes[-max(1, width) :]]
    rows = [
        "".join(levels[min(max(height - row * steps, 0), steps)] for height in heights)
        for row in reversed(range(PLOT_ROWS))
    ]
    return Content("\n").join([Content(words).stylize(MUTED), Content("\n".join(rows)).stylize(PLOT_STYLE)])
