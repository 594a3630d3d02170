"""The chat: questions below, the conversation above, and the rule or card being read beside it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen

from hexcore_engine.protocol.records import MODE_NAMES, ModeName
from hexcore_tui.actions import bindings_of
from hexcore_tui.widgets.chat.prompt_input import PromptInput
from hexcore_tui.widgets.chat.status_line import StatusLine
from hexcore_tui.widgets.chat.transcript import Transcript
from hexcore_tui.widgets.chat.turn_view import TurnView
from hexcore_tui.widgets.shared.key_bar import KeyBar
from hexcore_tui.widgets.shared.title_bar import TitleBar

MODES_IN_TURN: tuple[ModeName | None, ...] = (None, *MODE_NAMES)


class ChatScreen(Screen[None]):
    """Asks, follows, stops; what an answer looks like is the turn's own business."""

    BINDINGS = bindings_of("chat")
    CSS = """
    ChatScreen {
        & #body { height: 1fr; }
        & #conversation { width: 1fr; }
        &.-narrow SidePane { width: 100%; border-left: none; }
        &.-narrow.-reading #conversation { display: none; }
    }
    """
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [(0, "-narrow"), (72, "-wide")]

    def __init__(self) -> None:
        super().__init__()
        self._session_id: str | None = None
        self._transcript = Transcript(Content())
        self._prompt = PromptInput()
        self._status = StatusLine()
        self._running: TurnView | None = None

    def compose(self) -> ComposeResult:
        """The question field has the focus from the first frame on."""
        yield TitleBar("chat")
        with Horizontal(id="body"), Vertical(id="conversation"):
            yield self._transcript
            yield self._prompt
            yield self._status
        yield KeyBar("everywhere")

    def on_mount(self) -> None:
        """Type at once."""
        self._prompt.focus()
