"""An answer as lines: what a screen reader reads once, in order, and never again."""

from __future__ import annotations

import re
from collections.abc import Callable

from hexcore_engine.protocol import events
from hexcore_engine.protocol.progress import duration_words
from hexcore_engine.protocol.records import CITATION_WORDS, Citation, CitationStatus, Passage
from hexcore_engine.utils.validation import clean_line, clean_text

Say = Callable[[str], None]
_SENTENCE_END = re.compile(r"[.!?][\"”')\]]*\s+|\n+")
KIND_WORDS = {"rule": "Rule", "card": "Card", "term": "Glossary", "digest": "Rule in our words"}


class AnswerLines:
    """Takes the events of one question and says each thing as soon as it is whole; text by sentences."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._pending = ""
        self._loading_told = False
        self._num_given_up: int | None = None
        self._citations: dict[tuple[str, CitationStatus], Citation] = {}
        self.session_id: str | None = None

    def take(self, event: events.Event) -> None:
        """Say what an event brings."""
        if isinstance(event, events.QuestionAccepted):
            self.session_id = event.session_id
        elif isinstance(event, events.PassagesRetrieved):
            self._take_passages(event)
        elif isinstance(event, events.ModelLoading):
            self._take_loading(event)
        elif isinstance(event, events.PlanMade):
            self._take_plan(event)
        elif isinstance(event, events.TextStreamed):
            self._take_text(event.text)
        elif isinstance(event, events.CitationChecked):
            self._citations.setdefault((event.citation.rule, event.citation.status), event.citation)
        elif isinstance(event, events.AnswerOutcome):
            self._finish(event)
        elif isinstance(event, events.RequestFailed):
            self._say(f"{event.error.message} {event.error.remedy}")

    def _take_passages(self, event: events.PassagesRetrieved) -> None:
        if event.error is not None:
            self._say(f"{event.error.message} {event.error.remedy}")
        count = len(event.passages)
        self._say(f"Found {count} rules and cards." if count else "No rule or card was found.")
        for passage in event.passages:
            self._say(passage_line(passage))

    def _take_loading(self, event: events.ModelLoading) -> None:
        if self._loading_told:
            return
        # Once is enough to be heard; a bar can't be.
        self._loading_told = True
        share = event.share
        left = duration_words(event.elapsed_s * (1 - share) / share) if share else ""
        self._say(f"The model loads, about {left} left." if left else "The model loads.")

    def _take_plan(self, event: events.PlanMade) -> None:
        for step in event.plan.given_up[self._num_given_up or 0 :]:
            self._say(f"Given up: {step.detail}.")
        if self._num_given_up is None:
            name = clean_line(event.model.name)
            self._say(f"A small model's draft, by {name}:" if event.model.small else f"Answer by {name}:")
        self._num_given_up = len(event.plan.given_up)

    def _take_text(self, text: str) -> None:
        self._pending += text
        end = max((found.end() for found in _SENTENCE_END.finditer(self._pending)), default=0)
        whole, self._pending = self._pending[:end], self._pending[end:]
        self._say_text(whole)

    def _finish(self, outcome: events.AnswerOutcome) -> None:
        self._say_text(self._pending)
        self._pending = ""
        if isinstance(outcome, events.AnswerFailed):
            self._say(f"{outcome.error.message} {outcome.error.remedy}")
        for citation in self._citations.values():
            self._say(f"Rule {clean_line(citation.rule)}: {CITATION_WORDS[citation.status]}.")
        for note in outcome.notes:
            self._say(note)
        release = (
            f"Rules of {outcome.rules_release}." if outcome.rules_release else "No official rules loaded."
        )
        stopped = "Stopped; what was written is kept. " if isinstance(outcome, events.AnswerStopped) else ""
        self._say(f"{stopped}{release}")

    def _say_text(self, text: str) -> None:
        for line in clean_text(text).splitlines():
            if line.strip():
                self._say(line.strip())


def passage_line(passage: Passage) -> str:
    """Return one piece of evidence as a line: what, and why it is here."""
    kind = KIND_WORDS.get(passage.kind, passage.kind)
    title = "" if passage.title == passage.id else f", {passage.title}"
    return clean_line(f"{kind} {passage.id}{title}: {passage.why}.")
