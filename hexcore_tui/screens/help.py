"""Every key and what it does, the marks and what they promise, and what this program is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from hexcore_engine import FAN_CONTENT_NOTICE, __version__
from hexcore_tui.actions import SCOPE_TITLES, Scope, actions_of, first_key, keys_text, scopes_of
from hexcore_tui.host import host
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
        Binding("escape,q", "dismiss", "Back", show=False),
        Binding("f1", "app.help", show=False, id="everywhere.help"),
        Binding("question_mark", "app.help_here", show=False, id="everywhere.help_here"),
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

    def __init__(self, here: tuple[Scope, ...] = ()) -> None:
        """With `here` show the keys of these places alone."""
        super().__init__()
        self.here = here

    def on_mount(self) -> None:
        """Letters move here too."""
        host(self).use_motion(self)

    def compose(self) -> ComposeResult:
        """One text in one scroll."""
        width = min(WIDTH, self.app.size.width) - FRAME_WIDTH
        with VerticalScroll() as scroll:
            scroll.border_title = "Keys here" if self.here else "Help"
            scroll.border_subtitle = f"{first_key('help', 'everywhere')} everything · Esc back"
            yield Static(keys_content(self.here, width) if self.here else help_content(width))


def keys_content(scopes: Iterable[Scope], width: int) -> Content:
    """Return the keys of these places for `width` columns."""
    parts: list[Content] = []
    for scope in scopes:
        rows = [(keys_text(action.key), action.help) for action in actions_of(scope) if action.key]
        parts += _section(SCOPE_TITLES[scope], rows, width)
    return Content("").join(parts)


def help_content(width: int) -> Content:
    """Return the help for `width` columns, made from the registry and the marks."""
    parts = [Content("Type a question and press Enter. Rules and cards come first, then the answer.\n")]
    parts.append(keys_content(SCOPE_TITLES, width))
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


def scopes_here(screen: Screen[Any]) -> tuple[Scope, ...]:
    """Return the places whose keys work on `screen` now, the nearest first."""
    found: dict[Scope, None] = {}
    for node in (screen.focused or screen).ancestors_with_self:
        scopes = scopes_of(node)
        found |= {scope: None for scope in SCOPE_TITLES if scope in scopes}
    return tuple(found)
