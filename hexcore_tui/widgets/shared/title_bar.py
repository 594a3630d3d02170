"""The top line of every screen: the name, which screen it is, the model and the age of the data."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from hexcore_engine.utils.validation import clean_line
from hexcore_tui.actions import first_key
from hexcore_tui.facts import Facts, size_text
from hexcore_tui.host import host

# Below this there is no room for a question, an answer and the keys.
LEAST_COLUMNS, LEAST_ROWS = 40, 12
# From here on everything has the room it was made for.
GOOD_COLUMNS, GOOD_ROWS = 60, 20


class TitleBar(Widget):
    """One line; what does not fit is left out from the right. On a terminal too small for the app it covers
    everything and says so; what lies under it keeps its text and the focus."""

    DEFAULT_CSS = """
    TitleBar { height: 1; padding: 0 1; background: $panel; color: $text-muted; }
    TitleBar.-covering { layer: cover; dock: top; height: 100%; color: $text; }
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def on_mount(self) -> None:
        """Follow the app's facts."""
        self.watch(self.app, "facts", self._facts_changed, init=False)
        self.screen.screen_layout_refresh_signal.subscribe(self, self._cover_or_uncover)

    def render(self) -> Content:
        """Name first: it must be there in the first frame, before anything else is known."""
        if self.has_class("-covering"):
            return Content(too_small_words(self.app.size))
        facts = host(self).facts
        parts: list[str | Content | tuple[str, str]] = [("Hexcore", "bold $primary"), f"  {self._title}"]
        room = self.size.width - len(f"Hexcore  {self._title}")
        for words in (*size_words(self.app.size), *facts_words(facts)):
            room -= len(words) + 3
            if room >= 0:
                parts.append(f" · {words}")
        return Content.assemble(*parts)

    def _facts_changed(self) -> None:
        self.refresh()

    def _cover_or_uncover(self, _screen: Screen[object]) -> None:
        self.set_class(is_too_small(self.app.size), "-covering")
        self.refresh()


def is_too_small(size: Size) -> bool:
    """Whether the app can't be used on a terminal of `size`."""
    return size.width < LEAST_COLUMNS or size.height < LEAST_ROWS


def too_small_words(size: Size) -> str:
    """Return what stands on such a terminal, the most important first."""
    needed = f"needs {LEAST_COLUMNS} columns, {LEAST_ROWS} rows"
    leave = f"{first_key('quit', 'everywhere')} quits"
    return f"Hexcore {needed}. Here are {size.width}, {size.height}. Nothing is lost; {leave}."


def size_words(size: Size) -> tuple[str, ...]:
    """Return what to say of a terminal that is smaller than the app was made for."""
    if size.width >= GOOD_COLUMNS and size.height >= GOOD_ROWS:
        return ()
    return (f"{size.width}x{size.height} is small: {GOOD_COLUMNS}x{GOOD_ROWS}",)


def facts_words(facts: Facts) -> tuple[str, ...]:
    """Return the facts as short phrases, the most important first."""
    words = []
    if facts.rules_date:
        words.append(f"rules {clean_line(facts.rules_date)}")
    elif facts.has_rules is not None:
        words.append("rules in our words" if facts.has_rules else "no rules yet")
    if facts.model and not facts.model.available:
        words.append("no model")
    elif facts.model:
        size = f" ({size_text(facts.model.weights_bytes)})" if facts.model.weights_bytes else ""
        words.append(f"{clean_line(facts.model.name)}{size}")
    if facts.cards_date:
        words.append(f"cards {clean_line(facts.cards_date)}")
    return tuple(words)
