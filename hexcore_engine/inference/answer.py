"""An answer in progress: what its stages have found out, and the event that ends it."""

from __future__ import annotations

import time

import msgspec

from hexcore_engine.errors import DecoderError, HexcoreError
from hexcore_engine.inference.decoders.base import StopSignal
from hexcore_engine.inference.request import PipelineRequest
from hexcore_engine.protocol.events import (
    AnswerCompleted,
    AnswerFailed,
    AnswerStopped,
    CitationChecked,
    PassagesRetrieved,
    PlanMade,
    TextStreamed,
)
from hexcore_engine.protocol.records import (
    AnswerPlan,
    Citation,
    ErrorRecord,
    ModeChoice,
    ModelRecord,
    Passage,
    PlanStep,
    StopReason,
    Usage,
)


class AnswerEndsHereError(Exception):
    """Raised by a stage after which nothing is left to do; carries the stop reason. Never leaves the
    pipeline."""

    def __init__(self, stop_reason: StopReason) -> None:
        super().__init__(stop_reason)
        self.stop_reason = stop_reason


class AnswerInProgress:
    """What is known of one answer so far."""

    def __init__(self, request: PipelineRequest, stop: StopSignal) -> None:
        self.request = request
        self.stop = stop
        self.started = time.monotonic()
        self.choice: ModeChoice | None = None
        self.passages: tuple[Passage, ...] = ()
        self.response = ""
        self.citations: list[Citation] = []
        self.notes: list[str] = []
        self.stop_reason: StopReason = "end"
        self.usage: Usage | None = None
        self.rules_release: str | None = None
        self.model: str | None = None
        self.num_pieces = 0
        self._planned: PlanMade | None = None

    def note_evidence(self, retrieved: PassagesRetrieved) -> None:
        """Remember the evidence, the release used and what was missing."""
        self.passages = retrieved.passages
        self.rules_release = retrieved.rules_release
        self.notes += retrieved.notes

    def note_model(self, model: ModelRecord) -> None:
        """Remember who writes, and what is to be said about it."""
        self.model = model.name
        if model.note and model.note not in self.notes:
            self.notes.append(model.note)

    def planned(self, plan: AnswerPlan, model: ModelRecord) -> PlanMade:
        """Remember the plan."""
        self._planned = PlanMade(self.request.question_id, plan, model)
        return self._planned

    def gave_up(self, step: PlanStep) -> PlanMade:
        """Take a step of the ladder, gone in mid-answer, into the plan; called after `planned`."""
        before = self._planned
        assert before is not None  # noqa: S101 - nothing is written before it is planned
        plan = msgspec.structs.replace(before.plan, given_up=(*before.plan.given_up, step))
        return self.planned(plan, before.model)

    def piece(self, text: str) -> TextStreamed:
        """Take a piece of text into the answer."""
        event = TextStreamed(self.request.question_id, self.num_pieces, text)
        self.num_pieces += 1
        self.response += text
        return event

    def checked(self, citation: Citation) -> CitationChecked:
        """Take a checked citation into the answer."""
        self.citations.append(citation)
        return CitationChecked(self.request.question_id, citation)

    def outcome(self, stop_reason: StopReason | None = None) -> AnswerCompleted | AnswerStopped:
        """Return the event that ends the answer."""
        reason = stop_reason or self.stop_reason
        kind = AnswerStopped if reason in ("stopped", "budget") else AnswerCompleted
        return kind(
            question_id=self.request.question_id,
            session_id=self.request.session_id,
            response=self.response,
            citations=tuple(self.citations),
            usage=self.usage,
            stop_reason=reason,
            rules_release=self.rules_release,
            model=self.model,
            notes=tuple(self.notes),
        )

    def failed(self, error: HexcoreError) -> AnswerFailed:
        """Return the event of an answer that broke; the text so far is kept."""
        return AnswerFailed(
            question_id=self.request.question_id,
            session_id=self.request.session_id,
            response=self.response,
            citations=tuple(self.citations),
            usage=self.usage,
            stop_reason="engine_lost" if isinstance(error, DecoderError) else "refused",
            rules_release=self.rules_release,
            model=self.model,
            notes=tuple(self.notes),
            error=ErrorRecord(error.code, error.message, error.remedy),
        )
