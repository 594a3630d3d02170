"""Fitting a question into the model's context and the user's budgets; whatever is given up is stated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from hexcore_engine import errors
from hexcore_engine.inference.decoders.base import ChatMessage, Decoder
from hexcore_engine.inference.degradation import (
    UNMEASURED,
    Budgets,
    Draft,
    Pace,
    Prediction,
    keep_less,
    refuse,
    write_alone,
    write_less,
)
from hexcore_engine.inference.prompt import messages_for, user_message
from hexcore_engine.inference.request import PipelineRequest
from hexcore_engine.protocol.records import AnswerPlan, ModeName, Passage, PlanStep, TurnRecord
from hexcore_engine.settings import Settings

SMALL_MODEL_RULES = 5
LARGE_MODEL_RULES = 12
# Characters of one passage given to the model; the screen shows the whole text.
SMALL_MODEL_PASSAGE_CHARACTERS = 420
LARGE_MODEL_PASSAGE_CHARACTERS = 2400
MIN_QUESTION_CHARACTERS = 200
# Share of the room that is left to a question that has to be cut.
KEPT_QUESTION = 0.75
# Passages kept as long as earlier turns can go instead.
MIN_PASSAGES = 2


@dataclass(frozen=True)
class Admission:
    """A prompt that fits, the passages in it, and the plan shown to the user.

    `num_experts` write it together. `cache_limit_bytes` bounds keys and values while it is written.
    """

    messages: tuple[ChatMessage, ...]
    passages: tuple[Passage, ...]
    max_tokens: int
    plan: AnswerPlan
    num_experts: int = 1
    cache_limit_bytes: int | None = None


def admit(
    request: PipelineRequest,
    modes: tuple[ModeName, ...],
    passages: tuple[Passage, ...],
    decoder: Decoder,
    settings: Settings,
    pace: Pace = UNMEASURED,
    num_experts: int = 1,
) -> Admission:
    """Fit prompt and answer into the decoder's context and the user's budgets.

    Given up for the context, each stated as a `PlanStep`: the middle of a question that alone exceeds it,
    passages from the last down to two, earlier turns from the oldest, the last passages, length of the
    answer. Given up for the budgets: see degradation.py. Earlier turns that no model answered carry no
    message and are skipped.

    Raises:
        ContextOverflowError: when the context can't even hold a question.
        MemoryError, LatencyBudgetError: when a budget can't be kept.
    """
    steps: list[PlanStep] = []
    prediction = Prediction(pace, decoder.memory(), Budgets.of(request, settings))
    max_tokens = request.max_tokens or settings.answer.max_tokens
    room = decoder.context_tokens - min(max_tokens, decoder.context_tokens // 2)
    question = _cut_question(request.question, modes, decoder, room, steps)
    chosen = choose_passages(passages, decoder.model.small, settings.answer.rules_in_prompt)
    history = tuple(turn for turn in request.history if turn.sent)
    prompt = _shrink(_Prompt(question, modes, chosen, history), decoder, room)
    shortened: list[PlanStep] = []
    draft = _draft(prompt, decoder, max_tokens, num_experts, shortened)
    if request.give_up and not prediction.fits(draft):
        prompt, draft = _fit_budgets(prompt, draft, decoder, prediction, shortened)
    refuse(draft, prediction)
    steps += [*_left_out(passages, history, prompt), *shortened]
    plan = _plan(prompt, draft, decoder, prediction, steps)
    limit = prediction.cache_limit_bytes()
    return Admission(prompt.messages, prompt.passages, draft.max_tokens, plan, draft.num_experts, limit)


def _draft(
    prompt: _Prompt, decoder: Decoder, max_tokens: int, num_experts: int, steps: list[PlanStep]
) -> Draft:
    """Return what the prompt takes, with the answer that its context leaves room for."""
    prompt_tokens = decoder.count_tokens(prompt.messages)
    left = decoder.context_tokens - prompt_tokens
    if left < max_tokens:
        steps.append(PlanStep("length", f"the answer may hold {left} tokens instead of {max_tokens}"))
    return Draft(prompt_tokens, min(left, max_tokens), len(prompt.passages), num_experts)


def _fit_budgets(
    prompt: _Prompt, draft: Draft, decoder: Decoder, prediction: Prediction, steps: list[PlanStep]
) -> tuple[_Prompt, Draft]:
    """Go down the ladder until both budgets are kept or nothing is left to give up."""
    while not prediction.fits(draft) and len(prompt.passages) > MIN_PASSAGES:
        smaller = replace(prompt, passages=prompt.passages[:-1])
        tokens = decoder.count_tokens(smaller.messages)
        fewer = replace(draft, prompt_tokens=tokens, num_passages=len(smaller.passages))
        if not prediction.improves(fewer, draft):
            break
        prompt, draft = smaller, fewer
    for give_up in (write_alone, write_less, keep_less):
        if not prediction.fits(draft):
            draft, step = give_up(draft, prediction)
            steps += [step] if step else []
    return prompt, draft


def _plan(
    prompt: _Prompt, draft: Draft, decoder: Decoder, prediction: Prediction, steps: list[PlanStep]
) -> AnswerPlan:
    return AnswerPlan(
        prompt_tokens=draft.prompt_tokens,
        max_tokens=draft.max_tokens,
        context_tokens=decoder.context_tokens,
        num_passages=draft.num_passages,
        given_up=tuple(steps),
        predicted_peak_bytes=prediction.peak_bytes(draft),
        predicted_time_ms=prediction.time_ms(draft) if prediction.pace.tokens_per_s else None,
        sent=prompt.messages[-1].content,
    )


def choose_passages(passages: tuple[Passage, ...], small: bool, limit: int) -> tuple[Passage, ...]:
    """Return the passages given to the model, each cut at a word for a small one: few and short, since a
    small model's wait is its prompt."""
    most = limit or (SMALL_MODEL_RULES if small else LARGE_MODEL_RULES)
    characters = SMALL_MODEL_PASSAGE_CHARACTERS if small else LARGE_MODEL_PASSAGE_CHARACTERS
    rules = [passage for passage in passages if passage.kind in ("rule", "digest", "glossary")][:most]
    cards = [passage for passage in passages if passage.kind in ("card", "ruling")][: 2 if small else most]
    kept = {id(passage) for passage in (*rules, *cards)}
    return tuple(_cut(passage, characters) for passage in passages if id(passage) in kept)


def _cut(passage: Passage, characters: int) -> Passage:
    if len(passage.text) <= characters:
        return passage
    text = passage.text[:characters].rsplit(" ", 1)[0] + " …"
    return msgspec.structs.replace(passage, text=text)


def _cut_question(
    question: str, modes: tuple[ModeName, ...], decoder: Decoder, room: int, steps: list[PlanStep]
) -> str:
    """Return the question, or its beginning and end where it alone exceeds `room` tokens; what is kept leaves
    room for some evidence."""
    kept, size = question, len(question)
    while size > MIN_QUESTION_CHARACTERS:
        tokens = decoder.count_tokens(messages_for((), user_message(kept, modes, ())))
        if tokens <= room:
            break
        size = max(MIN_QUESTION_CHARACTERS, int(size * room / tokens * KEPT_QUESTION))
        kept = f"{question[: size * 2 // 3]} … {question[-(size // 3) :]}"
    if kept is not question:
        left_out = len(question) - len(kept)
        steps.append(
            PlanStep(
                "question",
                f"left out {left_out:,} of the question's {len(question):,} characters, in the middle",
            )
        )
    return kept


@dataclass(frozen=True)
class _Prompt:
    """What the prompt is made of."""

    question: str
    modes: tuple[ModeName, ...]
    passages: tuple[Passage, ...]
    history: tuple[TurnRecord, ...]

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        return messages_for(self.history, user_message(self.question, self.modes, self.passages))

    def smaller(self) -> _Prompt | None:
        """Return the prompt without its most dispensable part; None when only the question is left."""
        if len(self.passages) > MIN_PASSAGES or (self.passages and not self.history):
            return replace(self, passages=self.passages[:-1])
        return replace(self, history=self.history[1:]) if self.history else None


def _shrink(prompt: _Prompt, decoder: Decoder, room: int) -> _Prompt:
    """Return the largest prompt that takes at most `room` tokens."""
    while (tokens := decoder.count_tokens(prompt.messages)) > room:
        smaller = prompt.smaller()
        if smaller is None:
            raise errors.ContextOverflowError(
                f"The question takes {tokens} tokens; {room} fit.",
                "Shorten the question, or use a model with a longer context. The rules found are above.",
            )
        prompt = smaller
    return prompt


def _left_out(
    passages: tuple[Passage, ...], history: tuple[TurnRecord, ...], prompt: _Prompt
) -> list[PlanStep]:
    steps = []
    whole = {passage.text for passage in passages}
    cut = sum(passage.text not in whole for passage in prompt.passages)
    if cut or len(prompt.passages) < len(passages):
        shortened = f", {cut} of them shortened" if cut else ""
        detail = f"the model reads {len(prompt.passages)} of the {len(passages)} passages shown{shortened}"
        steps.append(PlanStep("passages", detail))
    dropped = len(history) - len(prompt.history)
    if dropped:
        steps.append(PlanStep("history", f"left out the {dropped} oldest of {len(history)} earlier turns"))
    return steps
