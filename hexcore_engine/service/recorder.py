"""Writing an answer into its conversation while it streams."""

from __future__ import annotations

import logging
import time

import msgspec

from hexcore_engine.errors import HexcoreError
from hexcore_engine.protocol.events import (
    AnswerCompleted,
    AnswerFailed,
    AnswerOutcome,
    AnswerStopped,
    CitationChecked,
    Event,
    PassagesRetrieved,
    PlanMade,
    QuestionRouted,
    TextStreamed,
)
from hexcore_engine.protocol.records import Citation
from hexcore_engine.sessions.store import SessionStore

logger = logging.getLogger(__name__)
APPEND_EVERY_S = 0.25
NOT_SAVED = (
    "This answer could not be saved to its conversation: the disk is full or can't be written, or another "
    "program held the file."
)


class TurnRecorder:
    """Follows the events of one question. A disk that refuses never stops the answer: the outcome says it."""

    def __init__(self, store: SessionStore, turn_id: int) -> None:
        self._store = store
        self._turn_id = turn_id
        self._response = ""
        self._citations: list[Citation] = []
        self._written_at = 0.0
        # What a refused write left; all of it is tried once more with the outcome.
        self._unsaved: dict[str, object] = {}

    def record(self, event: Event) -> Event:
        """Store what an event says; return it, with a note where it could not be stored."""
        if isinstance(event, QuestionRouted):
            self._update(mode=event.choice)
        elif isinstance(event, PassagesRetrieved):
            self._update(passages=event.passages, rules_release=event.rules_release)
        elif isinstance(event, PlanMade):
            self._update(sent=event.plan.sent, model=event.model.name)
        elif isinstance(event, TextStreamed):
            self._response += event.text
            self._append()
        elif isinstance(event, CitationChecked):
            self._citations.append(event.citation)
        elif isinstance(event, AnswerOutcome):
            return self._finish(event)
        return event

    def _append(self) -> None:
        now = time.monotonic()
        if now - self._written_at >= APPEND_EVERY_S:
            self._written_at = now
            self._update(response=self._response, citations=tuple(self._citations))

    def _finish(self, outcome: AnswerCompleted | AnswerStopped | AnswerFailed) -> Event:
        self._write(
            response=outcome.response,
            citations=outcome.citations,
            usage=outcome.usage,
            stop_reason=outcome.stop_reason,
            notes=outcome.notes,
            error=outcome.error if isinstance(outcome, AnswerFailed) else None,
        )
        if self._unsaved:
            return msgspec.structs.replace(outcome, notes=(*outcome.notes, NOT_SAVED))
        return outcome

    def _update(self, **fields: object) -> None:
        # A disk that refused once is not asked at every word: each try may take a second.
        if self._unsaved:
            self._unsaved |= fields
        else:
            self._write(**fields)

    def _write(self, **fields: object) -> None:
        self._unsaved |= fields
        if self._turn_id == 0:
            return
        try:
            self._store.update_turn(self._turn_id, **self._unsaved)
        except HexcoreError as error:
            logger.warning("an answer can't be saved: %s", error.message)
        else:
            self._unsaved = {}
