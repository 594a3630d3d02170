"""The screens one goes to by name, each kept as it was left while another is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from hexcore_tui.screens.chat import ChatScreen

if TYPE_CHECKING:
    from hexcore_tui.screens.cards import CardsScreen
    from hexcore_tui.screens.memory import MemoryScreen
    from hexcore_tui.screens.rules import RulesScreen
    from hexcore_tui.screens.sessions import SessionsScreen
    from hexcore_tui.screens.settings import SettingsScreen


# Each look-up screen is imported when it is first visited: none of them may delay the first frame.
def _cards_screen() -> CardsScreen:
    from hexcore_tui.screens.cards import CardsScreen

    return CardsScreen()


def _rules_screen() -> RulesScreen:
    from hexcore_tui.screens.rules import RulesScreen

    return RulesScreen()


def _memory_screen() -> MemoryScreen:
    from hexcore_tui.screens.memory import MemoryScreen

    return MemoryScreen()


def _sessions_screen() -> SessionsScreen:
    from hexcore_tui.screens.sessions import SessionsScreen

    return SessionsScreen()


def _settings_screen() -> SettingsScreen:
    from hexcore_tui.screens.settings import SettingsScreen

    return SettingsScreen()


SCREENS: dict[str, str | Callable[[], Screen[Any]]] = {
    "chat": ChatScreen,
    "cards": _cards_screen,
    "rules": _rules_screen,
    "memory": _memory_screen,
    "sessions": _sessions_screen,
    "settings": _settings_screen,
}
