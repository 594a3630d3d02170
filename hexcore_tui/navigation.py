"""How one gets from screen to screen, with or without something to show there."""

from __future__ import annotations

from typing import Literal

from textual.app import App

from hexcore_tui import collector
from hexcore_tui.messages import CardRequested, RuleRequested
from hexcore_tui.modes import SCREENS
from hexcore_tui.screens.chat import ChatScreen


class NavigatingApp(App[int]):
    """Each screen is kept as it was left while another is shown."""

    MODES = SCREENS
    DEFAULT_MODE = "chat"

    def action_go(self, mode: str) -> None:
        """Show another screen."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        first_visit = mode not in self._screen_stacks
        self.switch_mode(mode)
        if first_visit:
            self.call_after_refresh(collector.set_aside)

    @property
    def chat(self) -> ChatScreen:
        """The chat screen; it lives as long as the app."""
        screen = self._screen_stacks["chat"][0]
        assert isinstance(screen, ChatScreen)  # noqa: S101 - MODES above says so
        return screen

    def open_rule(self, number: str) -> None:
        """Show a rule: beside the chat when that is what one looks at, else on the rules screen."""
        if self.current_mode == "chat":
            self.chat.show_beside(RuleRequested(number))
            return
        self.action_go("rules")
        self.call_later(self.hand_over, "rules", "show_rule", number)

    def open_card(self, name: str) -> None:
        """Show a card: beside the chat when that is what one looks at, else on the cards screen."""
        if self.current_mode == "chat":
            self.chat.show_beside(CardRequested(name))
            return
        self.action_go("cards")
        self.call_later(self.hand_over, "cards", "show_card", name)

    def search_for(self, words: str, where: Literal["rules", "cards"]) -> None:
        """Look for `words` on the rules or the cards screen."""
        self.action_go(where)
        self.call_later(self.hand_over, where, "search_for", words)

    def ask_about(self, words: str) -> None:
        """Go to the chat with `words` added to the question being written."""
        self.action_go("chat")
        self.chat.add_words(words)

    def hand_over(self, mode: str, verb: str, *what: str) -> None:
        """Call a verb of a screen that was visited; one may be elsewhere by now."""
        getattr(self._screen_stacks[mode][0], verb)(*what)
