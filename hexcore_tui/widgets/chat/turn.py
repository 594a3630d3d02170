"""What is known of one question and its answer. Nothing of it is drawn here."""

from __future__ import annotations

from collections import Counter

from hexcore_engine.protocol import events
from hexcore_engine.protocol.records import (
    CITATION_WORDS,
    Citation,
    ErrorRecord,
    ModeChoice,
    ModelRecord,
    Passage,
    StopReason,
    TurnRecord,
    Usage,
)
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.widgets.chat.marks import first_of_each

CUT_SHORT: frozenset[StopReason] = frozenset({"stopped", "budget", "engine_lost"})
CAN_GO_ON: frozenset[StopReason] = CUT_SHORT | {"length"}


class Turn:
    """A question with its evidence, the answer as far as it is written, and how it ended."""

    def __init__(self, question: str) -> None:
        self.question = question
        self.session_id: str | None = None
        self.turn_id: int | None = None
        self.doing = "Looking for the rules that decide it …"
        self.choice: ModeChoice | None = None
        self.passages: tuple[Passage, ...] | None = None
        self.release: str | None = None
        self.elapsed_ms: float | None = None
        self.cards_date: str | None = None
        self.trouble: ErrorRecord | None = None
        self.evidence_notes: tuple[str, ...] = ()
        # What was said about rules and cards under earlier turns on the screen; it is not said again.
        self.told: frozenset[str] = frozenset()
        self.model: ModelRecord | None = None
        self.model_name: str | None = None
        self.given_up: tuple[str, ...] = ()
        self.text = ""
        self.citations: tuple[Citation, ...] = ()
        self.notes: tuple[str, ...] = ()
        self.stop_reason: StopReason | None = None
        self.error: ErrorRecord | None = None
        self.usage: Usage | None = None
        self.ended = False
        self.stopping = False
        self.shows_all = False
        # Turns of the conversation before this one that are not on the screen.
        self.num_hidden = 0
        self.unfolded: set[str] = set()

    @classmethod
    def stored(cls, record: TurnRecord, session_id: str, model: ModelRecord | None) -> Turn:
        """Return a turn as it was stored; `model` is the one at hand, which may be the one that wrote it."""
        turn = cls(record.question)
        turn.session_id, turn.turn_id = session_id, record.turn_id
        turn.choice, turn.passages, turn.release = record.mode, record.passages, record.rules_release
        turn.model_name = record.model
        turn.model = model if model and model.name == record.model else None
        turn.text, turn.citations, turn.notes = record.response, record.citations, record.notes
        turn.stop_reason, turn.error, turn.usage = record.stop_reason, record.error, record.usage
        turn.ended = True
        return turn

    def found(self, event: events.PassagesRetrieved) -> None:
        """Take the evidence."""
        self.passages, self.release = event.passages, event.rules_release
        self.elapsed_ms, self.evidence_notes, self.trouble = event.elapsed_ms, event.notes, event.error

    def planned(self, event: events.PlanMade) -> None:
        """Take who writes, and what was given up."""
        self.model, self.model_name = event.model, event.model.name
        self.given_up = tuple(f"To fit: {clean_line(step.detail)}." for step in event.plan.given_up)

    def end(self, event: events.AnswerOutcome) -> None:
        """Take the whole answer as it is stored."""
        self.text, self.citations, self.notes = event.response, event.citations, event.notes
        self.stop_reason, self.usage = event.stop_reason, event.usage
        self.error = event.error if isinstance(event, events.AnswerFailed) else None
        self.ended = True

    def fail(self, error: ErrorRecord, engine_lost: bool) -> None:
        """Keep what was written; nothing more will come."""
        self.stop_reason = "engine_lost" if engine_lost else None
        self.error = error
        self.ended = True

    @property
    def answer(self) -> str:
        """The text so far."""
        return self.text

    @property
    def in_vain(self) -> bool:
        """Whether it failed before a word was written."""
        return self.error is not None and not self.text

    @property
    def can_go_on(self) -> bool:
        """Whether the answer ended before it was finished."""
        return self.ended and bool(self.text) and self.stop_reason in CAN_GO_ON

    @property
    def basis(self) -> str:
        """What the answer rests on, e.g. "1 quoted, the rest is the model's own words"."""
        if not self.text:
            return "looked up only; no model wrote" if self.ended and self.passages else ""
        counts = Counter(citation.status for citation in first_of_each(self.citations))
        marked = [f"{counts[status]} {word}" for status, word in CITATION_WORDS.items() if counts[status]]
        own = "the rest is the model's own words" if marked else "the model's own words, no rule cited"
        return ", ".join([*marked, own])

    @property
    def standing(self) -> str:
        """What the answer is and rests on, for the line that is always in sight."""
        draft = "a small model's draft" if self.text and self.model and self.model.small else ""
        return " · ".join(part for part in (draft, self.basis) if part)

    def passage_of(self, rule: str) -> Passage | None:
        """Return the retrieved text of a rule."""
        return next((p for p in self.passages or () if p.id == rule and p.kind in ("rule", "digest")), None)

    def as_text(self) -> str:
        """Return question, evidence and answer with its citations and the release, for copying."""
        evidence = "\n".join(f"- {clean_line(p.id)}: {clean_line(p.why)}" for p in self.passages or ())
        parts = [
            self.question,
            f"Evidence:\n{evidence}" if evidence else "",
            self.text,
            "\n".join(["Rules cited:", *map(self.citation_text, first_of_each(self.citations))])
            if self.citations
            else "",
            f"({release_words(self.release)})",
        ]
        return "\n\n".join(part for part in parts if part)

    def citation_text(self, citation: Citation) -> str:
        """Return a cited rule with its mark and its words, for copying."""
        passage = self.passage_of(citation.rule)
        words = f": {clean_line(passage.text)}" if passage else ""
        return f"- {citation.rule} ({CITATION_WORDS[citation.status]}){words}"


def release_words(release: str | None) -> str:
    """Return which rules an answer used."""
    return f"rules {clean_line(release)}" if release else "rules in our words, not official"
