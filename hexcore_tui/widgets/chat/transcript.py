"""The conversation so far; stays at its end while an answer streams, until the reader scrolls away."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from hexcore_engine.protocol.records import TurnRecord
from hexcore_tui.display_profile import DisplayProfile
from hexcore_tui.widgets.chat.turn_view import TurnView

# More turns than these make the screen slow to lay out; `hexcore sessions` shows all.
MOST_TURNS_SHOWN = 40


class Transcript(VerticalScroll, can_focus=False):
    """Turns in the order they were asked, and the welcome above them while there is none."""

    DEFAULT_CSS = """
    Transcript {
        height: 1fr;
        scrollbar-size-vertical: 1;
        & > .welcome { height: auto; padding: 1 2; color: $text-muted; }
    }
    """

    def __init__(self, welcome: Content) -> None:
        super().__init__()
        self._welcome = Static(welcome, classes="welcome")

    def compose(self) -> ComposeResult:
        """An empty conversation shows the welcome."""
        yield self._welcome

    def on_mount(self) -> None:
        """Follow the end."""
        self.anchor()

    @property
    def turns(self) -> list[TurnView]:
        """The turns on the screen, oldest first."""
        return list(self.query(TurnView))

    def welcome(self, content: Content) -> None:
        """Change the welcome."""
        self._welcome.update(content)

    def add_turn(self, question: str, profile: DisplayProfile) -> TurnView:
        """Start a turn at the end and follow it."""
        self._welcome.display = False
        turn = TurnView(question, profile)
        self.mount(turn)
        self.anchor()
        return turn

    async def clear(self) -> None:
        """Back to an empty conversation."""
        await self.query(TurnView).remove()
        await self.query(".earlier").remove()
        self._welcome.display = True

    async def show_stored(self, turns: tuple[TurnRecord, ...], profile: DisplayProfile) -> None:
        """Show a stored conversation instead of the present one."""
        await self.clear()
        self._welcome.display = not turns
        hidden = max(0, len(turns) - MOST_TURNS_SHOWN)
        if hidden:
            words = f"{hidden} earlier turns are not shown here; `hexcore sessions` exports them all."
            await self.mount(Static(Content(words), classes="welcome earlier"))
        views = [TurnView(turn.question, profile) for turn in turns[hidden:]]
        await self.mount_all(views)
        for view, turn in zip(views, turns[hidden:], strict=True):
            view.show_stored(turn)
        self.anchor()
