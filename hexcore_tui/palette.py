"""What Ctrl+P offers: every action of the registry, those of other screens as a way to get there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import cast

from textual.app import SystemCommand
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from hexcore_tui.actions import SCOPE_NAMES, Action, Scope, actions_of, keys_text, scopes_of
from hexcore_tui.host import host

PLACES_TO_GO: tuple[Scope, ...] = ("cards", "rules", "memory", "sessions", "settings")


def commands(screen: Screen[object]) -> Iterable[SystemCommand]:
    """Yield what can be done on `screen`, then what elsewhere."""
    app, chat = screen.app, cast("Screen[object]", host(screen).chat)
    here = owners(screen)
    # The chat screen always exists: what it offers is done from everywhere.
    chats = {} if screen is chat else owners(chat)
    for action in _offered("everywhere"):
        yield _command(action, action.label, partial(app.run_action, action.name, app))
    for place, owner in here.items():
        for action in _offered(place):
            yield _command(action, _title(action), partial(app.run_action, action.name, owner))
    for place, owner in chats.items():
        for action in _offered(place):
            yield _command(action, _title(action), partial(_do_in_chat, action, owner))
    for place in PLACES_TO_GO:
        for action in () if place in here else _offered(place):
            yield _command(action, _title(action), partial(_go_there, screen, action))


def owners(screen: Screen[object]) -> dict[Scope, DOMNode]:
    """Return who carries out the actions of each place on `screen`."""
    found: dict[Scope, DOMNode] = {}
    for node in screen.walk_children(with_self=True):
        for scope in scopes_of(node) if _is_there(node) else ():
            if scope in SCOPE_NAMES:
                found.setdefault(scope, node)
    return found


def _is_there(node: DOMNode) -> bool:
    """An empty conversation, and a pane that is closed, have nothing to act on."""
    return bool(node.display) and not (isinstance(node, Widget) and node.can_focus and not node.focusable)


def _offered(scope: Scope) -> list[Action]:
    return [action for action in actions_of(scope) if action.palette]


def _title(action: Action) -> str:
    return f"{SCOPE_NAMES[action.scope]}: {action.label}"


def _command(action: Action, title: str, do: Callable[[], object]) -> SystemCommand:
    keys = f"  {keys_text(action.key)}" if action.key else ""
    return SystemCommand(title, f"{action.help}{keys}", do)


async def _do_in_chat(action: Action, owner: DOMNode) -> None:
    host(owner).action_go("chat")
    await owner.app.run_action(action.name, owner)


def _go_there(screen: Screen[object], action: Action) -> None:
    """Go where it is done: to what, is chosen there."""
    host(screen).action_go(action.scope)
    if action.key:
        screen.app.notify(f"{keys_text(action.key)}  {action.help}", markup=False)
