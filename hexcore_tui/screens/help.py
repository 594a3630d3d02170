"""Every key and what it does, the marks and what they promise, and what this program is."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from hexcore_engine import FAN_CONTENT_NOTICE, __version__
from hexcore_tui.actions import SCOPE_TITLES, actions_of, keys_text
from hexcore_tui.widgets.chat.marks import MARKS
from hexcore_tui.widgets.chat.prompt_commands import SLASH_COMMANDS

WIDTH = 76
# Border, padding and scrollbar beside the text.
FRAME_WIDTH = 6
KEYS_WIDTH = 16
MOUSE = [
    ("Click", "Open a rule, a card or a row; press a key of the lines at the bottom."),
    ("Drag", "Select text; Ctrl+C sends it to the terminal's clipboard."),
    ("Shift+drag", "Leave the selecting to the terminal, in most of them."),
]


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
            yield Static(help_content(min(WIDTH, self.app.size.width) - FRAME_WIDTH))


def help_content(width: int) -> Content:
    """Return the help for `width` columns, made from the registry and the marks."""
    parts = [Content("Type a question and press Enter. Rules and cards come first, then the answer.\n")]
    for scope, title in SCOPE_TITLES.items():
        rows = [(keys_text(action.key), action.help) for action in actions_of(scope) if action.key]
        parts += _section(title, rows, width)
    parts += _section("Mouse", MOUSE, width)
    parts += _section("Typed in the question field", list(SLASH_COMMANDS), width)
    marks = [(f"{mark.symbol} {mark.word}", mark.meaning) for mark in MARKS.values()]
    parts += _section("Marks on rule numbers", marks, width)
    parts.append(Content(f"\nHexcore {__version__}\n{FAN_CONTENT_NOTICE}\n").stylize("$text-muted"))
    return Content("").join(parts)


def _section(title: str, rows: list[tuple[str, str]], width: int) -> list[Content]:
    if not rows:
        return []
    return [Content(f"\n{title}\n").stylize("bold $primary"), *(_row(*row, width) for row in rows)]


def _row(left: str, right: str, width: int) -> Content:
    """Keys on the left, words on the right, wrapped within their own column; long keys get their own line."""
    lines = textwrap.wrap(right, max(20, width - KEYS_WIDTH))
    indent = " " * KEYS_WIDTH
    first = f"{left:<{KEYS_WIDTH}}" if len(left) < KEYS_WIDTH else f"{left}\n{indent}"
    return Content.assemble((first, "bold"), f"\n{indent}".join(lines), "\n")
