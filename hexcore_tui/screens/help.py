"""Every key and what it does, the marks and what they promise, and what this program is."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from hexcore_engine import __version__
from hexcore_tui.__main__ import FAN_CONTENT_NOTICE
from hexcore_tui.actions import SCOPE_TITLES, actions_of, keys_text
from hexcore_tui.widgets.chat.marks import MARKS

# Width of the column of keys.
KEYS_WIDTH = 26


class HelpScreen(ModalScreen[None]):
    """Lies over the screen it was called from; Esc goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,question_mark", "dismiss", "Back", show=False),
    ]
    CSS = """
    HelpScreen {
        align: center middle;
        & > VerticalScroll {
            width: 76;
            max-width: 100%;
            height: 90%;
            background: $surface;
            border: round $border;
            padding: 0 1;
        }
        & Static { height: auto; }
    }
    """

    def compose(self) -> ComposeResult:
        """One text in one scroll."""
        with VerticalScroll() as scroll:
            scroll.border_title = "Help"
            scroll.border_subtitle = "Esc back"
            yield Static(help_content())


def help_content() -> Content:
    """Return the help, made from the registry and the marks."""
    parts = [Content("Type a question and press Enter. Rules and cards come first, then the answer.\n")]
    for scope, title in SCOPE_TITLES.items():
        actions = [action for action in actions_of(scope) if action.key]
        if actions:
            parts.append(Content(f"\n{title}\n").stylize("bold $primary"))
            parts += [_row(keys_text(action.key), action.help) for action in actions]
    parts.append(Content("\nTyped in the question field\n").stylize("bold $primary"))
    parts.append(_row("/mode teach", "Choose a mode by its name; /mode auto lets the question decide."))
    parts.append(_row("/new", "Start a new conversation."))
    parts.append(Content("\nMarks on rule numbers\n").stylize("bold $primary"))
    parts += [_row(f"{mark.symbol} {mark.word}", mark.meaning) for mark in MARKS.values()]
    parts.append(Content(f"\nHexcore {__version__}\n{FAN_CONTENT_NOTICE}\n").stylize("$text-muted"))
    return Content("").join(parts)


def _row(left: str, right: str) -> Content:
    return Content.assemble((f"{left:<{KEYS_WIDTH}}", "bold"), f" {right}\n")
