"""Takes the engine's messages about one running answer into its turn, and has the turn drawn."""

from __future__ import annotations

from collections.abc import Callable

from textual.message import Message
from textual.widget import Widget

from hexcore_engine.protocol.records import Usage
from hexcore_tui import messages
from hexcore_tui.widgets.chat.turn import Turn
from hexcore_tui.widgets.chat.turn_page import Part


class TurnFeed(Widget):
    """The sink of one question. It shows nothing itself; once removed, whatever comes late is dropped."""

    DEFAULT_CSS = "TurnFeed { display: none; }"

    class Finished(Message):
        """The answer ended, one way or another. `usage` is None without a model; `in_vain` when it failed
        before a word was written."""

        def __init__(self, turn: Turn, usage: Usage | None, in_vain: bool) -> None:
            super().__init__()
            self.turn = turn
            self.usage = usage
            self.in_vain = in_vain

    def __init__(
        self, turn: Turn, changed: Callable[[Turn, *tuple[Part, ...]], None], grew: Callable[[Turn], None]
    ) -> None:
        """`changed` draws parts of the turn at once, all when none is named; `grew` a longer answer soon."""
        super().__init__()
        self.turn = turn
        self._draw = changed
        self._draw_soon = grew

    def on_answer_accepted(self, message: messages.AnswerAccepted) -> None:
        """Remember the conversation, and say when others are answered first."""
        event = message.event
        self.turn.session_id, self.turn.turn_id = event.session_id, event.turn_id or None
        if event.queue_position:
            self.turn.doing = f"Waiting: {event.queue_position} question(s) are before it."
        self._draw(self.turn, "head")

    def on_answer_routed(self, message: messages.AnswerRouted) -> None:
        """Show the mode."""
        self.turn.choice = message.event.choice
        self._draw(self.turn, "head")

    def on_evidence_found(self, message: messages.EvidenceFound) -> None:
        """Show the rules and cards, each with its reason."""
        self.turn.found(message.event)
        self._draw(self.turn, "head", "tail")

    def on_answer_planned(self, message: messages.AnswerPlanned) -> None:
        """Say who writes, and what was given up."""
        self.turn.planned(message.event)
        self._draw(self.turn, "head", "tail")

    def on_answer_text_arrived(self, message: messages.AnswerTextArrived) -> None:
        """Add to the answer; it is drawn with the next batch."""
        if not self.turn.text:
            # The line that says who writes comes with the first word.
            self.turn.text = message.event.text
            self._draw(self.turn)
            return
        self.turn.text += message.event.text
        self._draw_soon(self.turn)

    def on_citation_arrived(self, message: messages.CitationArrived) -> None:
        """Mark a rule number and list it below."""
        self.turn.citations = (*self.turn.citations, message.event.citation)
        self._draw_soon(self.turn)

    def on_answer_ended(self, message: messages.AnswerEnded) -> None:
        """Show the whole answer as it is stored, and how it ended."""
        self.turn.end(message.event)
        self._finish()

    def on_request_refused(self, message: messages.RequestRefused) -> None:
        """Keep what was written, and say what happened."""
        message.stop()
        self.turn.fail(message.error, message.engine_lost)
        self._finish()

    def stopping(self) -> None:
        """Say at once that the stop was heard."""
        self.turn.stopping = True
        self._draw(self.turn, "tail")

    def _finish(self) -> None:
        self._draw(self.turn)
        self.post_message(self.Finished(self.turn, self.turn.usage, self.turn.in_vain))
