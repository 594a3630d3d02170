from __future__ import annotations

from collections import Counter

from hexcore_tui.actions import ACTIONS, SCOPE_TITLES, footer_actions, keys_text
from hexcore_tui.app import HexcoreApp
from hexcore_tui.screens.chat import ChatScreen
from hexcore_tui.screens.help import help_content
from hexcore_tui.screens.sessions import SessionsScreen
from hexcore_tui.widgets.chat.prompt_input import PromptInput
from hexcore_tui.widgets.chat.side_pane import SidePane
from hexcore_tui.widgets.chat.transcript import Transcript

OWNERS = {
    "everywhere": HexcoreApp,
    "chat": ChatScreen,
    "prompt": PromptInput,
    "answer": Transcript,
    "pane": SidePane,
    "sessions": SessionsScreen,
}


def test_every_action_is_carried_out_by_the_owner_of_its_scope() -> None:
    for action in ACTIONS:
        if action.scope in OWNERS:
            assert hasattr(OWNERS[action.scope], f"action_{action.name.split('(')[0]}"), action.name


def test_no_key_has_two_meanings_in_one_scope() -> None:
    for scope in SCOPE_TITLES:
        keys = Counter(
            key for action in ACTIONS if action.scope == scope for key in action.key.split(",") if key
        )
        assert [key for key, count in keys.items() if count > 1] == []


def test_the_help_names_every_key_and_its_sentence() -> None:
    text = help_content(width=200).plain
    for action in ACTIONS:
        if action.key:
            assert keys_text(action.key) in text
            assert action.help in text


def test_the_keys_of_every_screen_fit_80_columns() -> None:
    for scope in SCOPE_TITLES:
        words = "".join(f" {keys_text(a.key.split(',')[0])} {a.label}" for a in footer_actions([scope]))
        assert len(words) <= 80
