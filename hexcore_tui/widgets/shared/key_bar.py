"""The line of keys at the bottom of every screen, made from the registry of actions."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from hexcore_tui.actions import Action, Scope, footer_actions, key_text


class KeyBar(Widget):
    """As many keys of its scopes as fit on one line; each can be clicked."""

    DEFAULT_CSS = """
    KeyBar { height: 1; background: $panel; color: $text; }
    """
    ALLOW_SELECT = False

    def __init__(self, *scopes: Scope) -> None:
        super().__init__()
        self._actions = footer_actions(scopes)

    def render(self) -> Content:
        """What does not fit is left out from the right; Help and Quit always stay."""
        shown = list(self._actions)
        while len(shown) > 2 and sum(len(_words(action)) for action in shown) > self.size.width:
            shown.remove(next(action for action in reversed(shown) if action.name not in ("help", "quit")))
        return Content("").join(_entry(action) for action in shown)


def _words(action: Action) -> str:
    return f" {key_text(action.key.split(',')[0])} {action.label}"


def _entry(action: Action) -> Content:
    owner = "app" if action.scope == "everywhere" else "screen"
    call = action.name if "(" in action.name else f"{action.name}()"
    click = Style.from_meta({"@click": f"{owner}.{call}"})
    words = _words(action)
    key_end = len(words) - len(action.label) - 1
    return Content(words).stylize("bold $primary", 0, key_end).stylize(click)
