"""The keys at the bottom of every screen, made from the registry of actions."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.style import Style
from textual.widget import Widget

from hexcore_tui.actions import Action, Scope, footer_actions, key_text

# On a lower terminal the lists need the lines more.
FULL_ROWS = 24
META_KEY = "hexcore_action"


class KeyBar(Widget):
    """The keys of its scopes, the first scope's first, on one line or two; each can be clicked."""

    DEFAULT_CSS = """
    KeyBar { height: auto; background: $panel; color: $text; }
    """
    ALLOW_SELECT = False

    def __init__(self, *scopes: Scope, max_lines: int = 2) -> None:
        super().__init__()
        self._actions = footer_actions(scopes)
        self._max_lines = max_lines

    def render(self) -> Content:
        """What does not fit is left out from the right; Help and Quit always stay."""
        lines = lines_of(self._actions, self.size.width, self._num_lines)
        return Content("\n").join(
            [Content("").join([_entry(action, self._actions) for action in line]) for line in lines]
        )

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as the keys need."""
        return len(lines_of(self._actions, width, self._num_lines))

    @property
    def _num_lines(self) -> int:
        return self._max_lines if self.app.size.height >= FULL_ROWS else 1

    async def on_click(self, event: events.Click) -> None:
        """Do what the key under the pointer does, here or further out."""
        index = event.style.meta.get(META_KEY)
        if isinstance(index, int):
            action = self._actions[index]
            method = f"action_{action.name.split('(')[0]}"
            places = (*self.ancestors, self.screen.focused, self.app)
            owner = next((node for node in places if hasattr(node, method)), self.app)
            await self.app.run_action(action.name, owner)


def lines_of(actions: tuple[Action, ...], width: int, max_lines: int) -> list[list[Action]]:
    """Return which keys stand on which line."""
    shown = list(actions)
    while len(lines := _wrapped(shown, width)) > max_lines:
        droppable = [action for action in shown if action.name not in ("help", "quit")]
        shown.remove((droppable or shown)[-1])
    return lines


def _wrapped(actions: list[Action], width: int) -> list[list[Action]]:
    lines: list[list[Action]] = [[]]
    room = width
    for action in actions:
        room -= len(_words(action))
        if room < 0 and lines[-1]:
            lines.append([])
            room = width - len(_words(action))
        lines[-1].append(action)
    return lines


def _words(action: Action) -> str:
    return f" {key_text(action.key.split(',')[0])} {action.label}"


def _entry(action: Action, actions: tuple[Action, ...]) -> Content:
    words = _words(action)
    key_end = len(words) - len(action.label) - 1
    click = Style.from_meta({META_KEY: actions.index(action)})
    return Content(words).stylize("bold $primary", 0, key_end).stylize(click)
