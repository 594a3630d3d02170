"""The first run's tour: half a minute in a panel beside the question field.

It takes no key and no focus, ends with the first letter typed, and never comes again.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.widget import Widget

from hexcore_tui.actions import first_key

STEP_S = 5.0


@dataclass(frozen=True)
class Step:
    """One thing to know."""

    title: str
    words: str


class Tour(Widget, can_focus=False):
    """Turns its own pages."""

    DEFAULT_CSS = """
    Tour {
        dock: right;
        width: 34;
        height: 100%;
        padding: 1 2;
        border-left: solid $panel;
        background: $background;
    }
    .-narrow Tour {
        dock: bottom;
        width: 100%;
        height: auto;
        padding: 0 1;
        border-left: none;
        border-top: solid $panel;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._steps = tour_steps()
        self._place = 0

    def on_mount(self) -> None:
        """Go on by itself."""
        self.set_interval(STEP_S, self._turn_page)

    def render(self) -> Content:
        """One step, and how many there are."""
        step = self._steps[self._place]
        count = f"{self._place + 1} of {len(self._steps)} · typing skips this"
        return Content.assemble(
            (f"{step.title}\n", "bold $primary"), f"{step.words}\n\n", (count, "$text-muted")
        )

    def _turn_page(self) -> None:
        self._place += 1
        if self._place < len(self._steps):
            self.refresh(layout=True)
        else:
            self.remove()


def tour_steps() -> tuple[Step, ...]:
    """Return what a newcomer needs, with the keys in use."""
    everywhere = {
        name: first_key(name, "everywhere")
        for name in ("go_cards", "go_rules", "go_memory", "go_sessions", "help", "command_palette", "quit")
    }
    return (
        Step("Ask", "Type a question in plain words and press Enter. The rules and cards found come first."),
        Step("Follow", "Tab goes to the rules below an answer, Enter reads one beside it, Esc goes back."),
        Step("Stop", "Esc stops an answer; what was written is kept."),
        Step(
            "Look up",
            f"{everywhere['go_cards']} finds cards, t:dragon pow>4 or any words. "
            f"{everywhere['go_rules']} finds rules by number or words.",
        ),
        Step(
            "Come back",
            f"{everywhere['go_sessions']} finds any conversation by a word in it. "
            f"{everywhere['go_memory']} shows what the model costs.",
        ),
        Step(
            "Everything else",
            f"{everywhere['help']} shows all keys, {everywhere['command_palette']} finds an action by its "
            f"name, {everywhere['quit']} leaves.",
        ),
    )
