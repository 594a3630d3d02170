"""The running app as its parts see it."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Literal, Protocol, cast

from textual.dom import DOMNode
from textual.message_pump import MessagePump

from hexcore_engine.paths import Paths
from hexcore_engine.protocol.records import ModelRecord
from hexcore_engine.settings import Settings
from hexcore_tui.bridge import EngineBridge
from hexcore_tui.display_profile import DisplayProfile
from hexcore_tui.facts import AnswerCost, Facts


class Chat(Protocol):
    """The chat screen as other screens see it."""

    def open_session(self, session_id: str) -> None:
        """Go on with a stored conversation."""
        ...

    def forget_session(self, session_id: str) -> None:
        """A conversation was deleted."""
        ...


class Host(Protocol):
    """What the app offers to screens and widgets; `hexcore_tui.app.HexcoreApp` says more about each."""

    paths: Paths
    settings: Settings
    profile: DisplayProfile
    bridge: EngineBridge
    facts: Facts
    costs: deque[AnswerCost]

    @property
    def knowledge_folder(self) -> Path:
        """Where the knowledge files are."""
        ...

    @property
    def missing(self) -> tuple[str, ...]:
        """A line for each thing that is not there."""
        ...

    @property
    def chat(self) -> Chat:
        """The chat screen."""
        ...

    def action_go(self, mode: str) -> None:
        """Show another screen."""
        ...

    def open_rule(self, number: str) -> None:
        """Show a rule."""
        ...

    def open_card(self, name: str) -> None:
        """Show a card."""
        ...

    def search_for(self, words: str, where: Literal["rules", "cards"]) -> None:
        """Look for words."""
        ...

    def ask_about(self, words: str) -> None:
        """Add words to the question being written."""
        ...

    def look_again(self) -> None:
        """See what set-up may have brought."""
        ...

    def model_seen(self, model: ModelRecord | None) -> None:
        """Another model answers now."""
        ...

    def read_settings(self) -> None:
        """Take what was changed in the settings file."""
        ...

    def use_motion(self, node: DOMNode) -> None:
        """Let letters move in `node` where the settings want it."""
        ...


def host(node: MessagePump) -> Host:
    """Return the app `node` belongs to, as a host: Textual's `node.app` knows the base class only."""
    return cast(Host, node.app)
