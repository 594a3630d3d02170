"""The top line of every screen: the name, which screen it is, the model and the age of the data."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from hexcore_engine.utils.validation import clean_line
from hexcore_tui.facts import Facts, size_text
from hexcore_tui.host import host


class TitleBar(Widget):
    """One line; what does not fit is left out from the right."""

    DEFAULT_CSS = """
    TitleBar { height: 1; padding: 0 1; background: $panel; color: $text-muted; }
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def on_mount(self) -> None:
        """Follow the app's facts."""
        self.watch(self.app, "facts", self._facts_changed, init=False)

    def _facts_changed(self) -> None:
        self.refresh()

    def render(self) -> Content:
        """Name first: it must be there in the first frame, before anything else is known."""
        facts = host(self).facts
        parts: list[str | Content | tuple[str, str]] = [("Hexcore", "bold $primary"), f"  {self._title}"]
        room = self.size.width - len(f"Hexcore  {self._title}")
        for words in facts_words(facts):
            room -= len(words) + 3
            if room >= 0:
                parts.append(f" · {words}")
        return Content.assemble(*parts)


def facts_words(facts: Facts) -> tuple[str, ...]:
    """Return the facts as short phrases, the most important first."""
    words = []
    if facts.rules_date:
        words.append(f"rules {clean_line(facts.rules_date)}")
    elif facts.num_cards is not None:
        words.append("rules in our words")
    if facts.model:
        size = f" ({size_text(facts.model.weights_bytes)})" if facts.model.weights_bytes else ""
        words.append(f"{clean_line(facts.model.name)}{size}")
    if facts.cards_date:
        words.append(f"cards {clean_line(facts.cards_date)}")
    return tuple(words)
