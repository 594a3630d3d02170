"""An answer while it is written: joined text, checked citations, usage, and the outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from hexcore_engine.errors import DecoderError, HexcoreError
from hexcore_engine.inference.budget import Admission
from hexcore_engine.inference.citations import NO_CITATION, CitationChecker
from hexcore_engine.inference.decoders.base import (
    DecodedText,
    DecodeFinished,
    Decoder,
    DecodeRequest,
    StopSignal,
)
from hexcore_engine.inference.request import PipelineRequest
from hexcore_engine.protocol.events import (
    AnswerCompleted,
    AnswerFailed,
    AnswerStopped,
    CitationChecked,
    Event,
    PassagesRetrieved,
    TextStreamed,
)
from hexcore_engine.protocol.records import Citation, ErrorRecord, ModelRecord, StopReason, Usage
from hexcore_engine.settings import Settings
from hexcore_engine.utils.validation import clean_text

JOIN_S = 0.09
SMALL_MODEL_REPETITION_PENALTY = 1.15
# The same words three times in a row, at least this many characters each time, are a loop and no answer.
LOOP_TIMES = 3
MIN_LOOP_CHARACTERS = 24
MAX_LOOP_CHARACTERS = 240
LOOP_NOTE = "The model began to repeat itself and was ended there."
Outcome = TypeVar("Outcome", AnswerCompleted, AnswerStopped, AnswerCompleted | AnswerStopped)


class AnswerInProgress:
    """What is known of one answer so far."""

    def __init__(self, request: PipelineRequest, started: float) -> None:
        self.request = request
        self.started = started
        self.response = ""
        self.citations: list[Citation] = []
        self.notes: list[str] = []
        self.stop_reason: StopReason = "end"
        self.usage: Usage | None = None
        self.rules_release: str | None = None
        self.model: str | None = None
        self.num_pieces = 0

    def note_evidence(self, retrieved: PassagesRetrieved) -> None:
        """Remember the release used and what was missing."""
        self.rules_release = retrieved.rules_release
        self.notes += retrieved.notes

    def note_model(self, model: ModelRecord) -> None:
        """Remember who writes."""
        self.model = model.name
        if model.note:
            self.notes.append(model.note)

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

    def outcome(self, kind: type[Outcome], stop_reason: StopReason) -> Outcome:
        """Return the event that ends the answer."""
        return kind(
            question_id=self.request.question_id,
            session_id=self.request.session_id,
            response=self.response,
            citations=tuple(self.citations),
            usage=self.usage,
            stop_reason=stop_reason,
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


class TextJoiner:
    """Joins tokens for a tenth of a second and holds back what is not whole yet.

    The first token goes out at once. A terminal sequence split across tokens is held until it is whole, so
    that cleaning sees all of it.
    """

    def __init__(self) -> None:
        self._raw = ""
        self._last = -1.0

    def add(self, text: str) -> str:
        """Take a token; return text that is due, or ""."""
        self._raw += text
        now = time.monotonic()
        if self._last >= 0 and now - self._last < JOIN_S:
            return ""
        due, self._raw = self._split()
        if due:
            self._last = now
        return due

    def flush(self) -> str:
        """Return all that is left."""
        due, self._raw = clean_text(self._raw), ""
        return due

    def _split(self) -> tuple[str, str]:
        start = max(self._raw.rfind(mark) for mark in "\x1b\x9b\x9d\x90")
        held = len(self._raw) - start if start >= 0 else 0
        if 0 < held < 64 or self._raw.endswith("\r"):
            cut = start if 0 < held < 64 else len(self._raw) - 1
            return clean_text(self._raw[:cut]), self._raw[cut:]
        return clean_text(self._raw), ""


def decode_answer(
    answer: AnswerInProgress,
    admission: Admission,
    decoder: Decoder,
    stop: StopSignal,
    settings: Settings,
    rule_exists: Callable[[str], bool],
) -> Iterator[Event]:
    """Run the decoder; yield text and checked citations, and leave usage and stop reason in `answer`."""
    checker = CitationChecker(admission.passages, rule_exists)
    joiner = TextJoiner()
    request = answer.request
    decode = DecodeRequest(
        messages=admission.messages,
        max_tokens=admission.max_tokens,
        temperature=_given(request.temperature, settings.answer.temperature),
        repetition_penalty=SMALL_MODEL_REPETITION_PENALTY if decoder.model.small else 1.0,
        seed=request.seed if request.seed is not None else settings.answer.seed,
        citable_rules=tuple(p.id for p in admission.passages if p.kind in ("rule", "digest")),
    )
    first_token_at: float | None = None
    failure: HexcoreError | None = None
    looping = False
    ours = StopSignal()
    forget = stop.on_set(ours.set)
    try:
        for item in decoder.generate(decode, ours):
            if isinstance(item, DecodedText):
                first_token_at = first_token_at or time.monotonic()
                yield from _emit(answer, checker, joiner.add(item.text))
                if not looping and repeats_itself(answer.response):
                    looping = True
                    ours.set()
            else:
                answer.usage = _usage(item, answer.started, first_token_at)
                answer.stop_reason = item.stop_reason
    except HexcoreError as error:
        failure = error
    finally:
        forget()
    if looping and not stop.is_set():
        answer.stop_reason = "end"
        answer.notes.append(LOOP_NOTE)
    # What the decoder wrote before it failed is the user's.
    yield from _emit(answer, checker, joiner.flush())
    yield from (answer.checked(citation) for citation in checker.finish())
    if failure is not None:
        raise failure
    if not answer.citations and answer.stop_reason in ("end", "length"):
        yield answer.piece(f"{_gap(answer.response)}{NO_CITATION}")


def _emit(answer: AnswerInProgress, checker: CitationChecker, text: str) -> Iterator[Event]:
    if text:
        yield answer.piece(text)
        yield from (answer.checked(citation) for citation in checker.feed(text))


def _gap(response: str) -> str:
    return "\n\n" if response.strip() else ""


def _given(value: float | None, default: float) -> float:
    return default if value is None else value


def _usage(finished: DecodeFinished, started: float, first_token_at: float | None) -> Usage:
    now = time.monotonic()
    rate = finished.tokens_per_s
    if rate is None and first_token_at is not None and finished.generated_tokens > 1 and now > first_token_at:
        rate = (finished.generated_tokens - 1) / (now - first_token_at)
    return Usage(
        prompt_tokens=finished.prompt_tokens,
        cached_tokens=finished.cached_tokens,
        generated_tokens=finished.generated_tokens,
        ttft_ms=(first_token_at - started) * 1000 if first_token_at is not None else None,
        tokens_per_s=rate,
    )


def repeats_itself(text: str) -> bool:
    """Whether a text ends in the same words several times in a row."""
    for length in range(MIN_LOOP_CHARACTERS, min(MAX_LOOP_CHARACTERS, len(text) // LOOP_TIMES) + 1):
        if text.endswith(text[-length:] * LOOP_TIMES):
            return True
    return False
