"""Running the decoder for one answer: text and checked citations as they come, usage at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TypeVar

from hexcore_engine.errors import HexcoreError
from hexcore_engine.inference.answer import AnswerInProgress
from hexcore_engine.inference.budget import Admission
from hexcore_engine.inference.citations import NO_CITATION, CitationChecker
from hexcore_engine.inference.decoders.base import (
    DecodedStep,
    DecodedText,
    DecodeFinished,
    Decoder,
    DecodeRequest,
    StopSignal,
)
from hexcore_engine.inference.experts import experts_for, must_mix
from hexcore_engine.inference.prompt import MODE_STYLES
from hexcore_engine.inference.streaming import LoopWatch, TextJoiner
from hexcore_engine.protocol.events import Event
from hexcore_engine.protocol.records import ModelRecord, PlanStep, StopReason, Usage
from hexcore_engine.settings import Settings

Number = TypeVar("Number", int, float)
SMALL_MODEL_REPETITION_PENALTY = 1.15
LOOP_NOTE = "The model began to repeat itself and was ended there."


class AnswerWriter:
    """Writes one answer with one decoder.

    It listens to the user's stop signal, and ends the decoder itself when the text loops or when `deadline`
    (on the monotonic clock) has passed.
    """

    def __init__(
        self, answer: AnswerInProgress, rule_exists: Callable[[str], bool], deadline: float | None = None
    ) -> None:
        self.finished: DecodeFinished | None = None
        self._answer = answer
        self._checker = CitationChecker(answer.passages, rule_exists)
        self._joiner = TextJoiner()
        self._loops = LoopWatch()
        self._deadline = deadline
        self._first_token_at: float | None = None
        self._stop = StopSignal()
        self._ended_by_us: StopReason | None = None

    def write(self, decoder: Decoder, request: DecodeRequest) -> Iterator[Event]:
        """Yield the answer's events; leave usage and stop reason in the answer.

        Raises:
            HexcoreError: what the decoder raised, after its text so far was yielded.
        """
        failure: HexcoreError | None = None
        forget = self._answer.stop.on_set(self._stop.set)
        try:
            yield from self._decode(decoder, request)
        except HexcoreError as error:
            failure = error
        finally:
            forget()
        yield from self._rest()
        if failure is not None:
            raise failure
        self._note_end()
        if not self._answer.citations and self._answer.stop_reason in ("end", "length"):
            gap = "\n\n" if self._answer.response.strip() else ""
            yield self._answer.piece(gap + NO_CITATION)

    def _decode(self, decoder: Decoder, request: DecodeRequest) -> Iterator[Event]:
        # Closing it ends the decoder's work when whoever listens to the answer goes away.
        with closing(decoder.generate(request, self._stop)) as items:
            for item in items:
                if isinstance(item, DecodeFinished):
                    self.finished = item
                elif isinstance(item, DecodedStep):
                    yield self._answer.gave_up(PlanStep(item.name, item.detail))
                else:
                    yield from self._take(item)

    def _take(self, item: DecodedText) -> Iterator[Event]:
        now = time.monotonic()
        self._first_token_at = self._first_token_at or now
        yield from self._emit(self._joiner.add(item.text))
        if self._ended_by_us is None and self._loops.add(item.text):
            self._end("end")
            self._answer.notes.append(LOOP_NOTE)
        elif self._deadline is not None and now > self._deadline:
            self._end("budget")

    def _end(self, reason: StopReason) -> None:
        self._ended_by_us = self._ended_by_us or reason
        self._stop.set()

    def _emit(self, text: str) -> Iterator[Event]:
        if text:
            yield self._answer.piece(text)
            yield from (self._answer.checked(citation) for citation in self._checker.feed(text))

    def _rest(self) -> Iterator[Event]:
        yield from self._emit(self._joiner.flush())
        yield from (self._answer.checked(citation) for citation in self._checker.finish())

    def _note_end(self) -> None:
        if self.finished is None:
            return
        self._answer.usage = _usage(self.finished, self._answer.started, self._first_token_at)
        self._answer.notes += self.finished.notes
        self._answer.stop_reason = self.finished.stop_reason
        if self.finished.stop_reason == "stopped" and self._ended_by_us and not self._answer.stop.is_set():
            self._answer.stop_reason = self._ended_by_us


def decode_request(
    answer: AnswerInProgress,
    admission: Admission,
    model: ModelRecord,
    settings: Settings,
    deadline: float | None = None,
) -> DecodeRequest:
    """Return what the decoder is asked: the user's numbers, else the settings' and the mode's; only rules
    that the model reads can be cited in brackets."""
    request = answer.request
    style = MODE_STYLES[answer.choice.mode if answer.choice else "REASON"]
    penalty = SMALL_MODEL_REPETITION_PENALTY if model.small else 1.0
    return DecodeRequest(
        messages=admission.messages,
        max_tokens=admission.max_tokens,
        temperature=_first(request.temperature, settings.answer.temperature),
        top_p=_first(request.top_p, style.top_p),
        min_p=_first(request.min_p, style.min_p),
        repetition_penalty=_first(request.repetition_penalty, penalty),
        seed=_first(request.seed, settings.answer.seed),
        stop=request.stop,
        citable_rules=tuple(p.id for p in admission.passages if p.kind in ("rule", "digest")),
        deadline=deadline,
        cache_limit_bytes=admission.cache_limit_bytes,
        experts=experts_for(answer.choice, request, settings)[: admission.num_experts],
        must_mix=must_mix(request) and admission.num_experts > 1,
    )


def _first(wanted: Number | None, otherwise: Number) -> Number:
    return otherwise if wanted is None else wanted


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
