"""Fitting a question into the model's context and the user's budgets; whatever is given up is stated."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from hexcore_engine import errors
from hexcore_engine.inference.decoders.base import ChatMessage, Decoder
from hexcore_engine.inference.prompt import messages_for, user_message
from hexcore_engine.inference.request import PipelineRequest
from hexcore_engine.protocol.records import AnswerPlan, ModeName, Passage, PlanStep, TurnRecord
from hexcore_engine.settings import Settings

SMALL_MODEL_RULES = 5
LARGE_MODEL_RULES = 12
# Characters of one passage given to the model; the screen shows the whole text.
SMALL_MODEL_PASSAGE_CHARACTERS = 420
LARGE_MODEL_PASSAGE_CHARACTERS = 2400
MIN_ANSWER_TOKENS = 32
MIN_QUESTION_CHARACTERS = 200
# A speculative floor for latency planning: tokens a second, until an answer has been measured.
UNKNOWN_TOKENS_PER_S = 20.0


@dataclass(frozen=True)
class Admission:
    """A prompt that fits, the passages in it, and the plan shown to the user."""

    messages: tuple[ChatMessage, ...]
    passages: tuple[Passage, ...]
    max_tokens: int
    plan: AnswerPlan


def admit(
    request: PipelineRequest,
    mode: ModeName,
    passages: tuple[Passage, ...],
    decoder: Decoder,
    settings: Settings,
    max_tokens: int,
) -> Admission:
    """Fit prompt and answer into the decoder's context.

    Given up in this order, each a `PlanStep`: the middle of a question that alone exceeds the context,
    earlier turns from the oldest, passages from the last, length of the answer. Earlier turns that no model
    answered carry no message and are skipped.

    Raises:
        ContextOverflowError: when the context can't even hold a question.
        MemoryError: when the model already exceeds the memory budget.
    """
    steps: list[PlanStep] = []
    _check_memory(request, settings, decoder)
    chosen = choose_passages(passages, decoder.model.small, settings.answer.rules_in_prompt)
    history = tuple(turn for turn in request.history if turn.sent)
    max_tokens = _within_latency(request, settings, max_tokens, steps)
    room = decoder.context_tokens - min(max_tokens, decoder.context_tokens // 2)
    question = _cut_question(request.question, mode, decoder, room, steps)
    messages, chosen, history_left = _shrink(question, mode, chosen, history, decoder, room)
    if len(history_left) < len(history):
        dropped = len(history) - len(history_left)
        steps.append(PlanStep("history", f"left out the {dropped} oldest of {len(history)} earlier turns"))
    if len(chosen) < len(passages):
        steps.append(
            PlanStep("passages", f"the model reads {len(chosen)} of the {len(passages)} passages shown")
        )
    prompt_tokens = decoder.count_tokens(messages)
    left = decoder.context_tokens - prompt_tokens
    if left < max_tokens:
        steps.append(PlanStep("length", f"the answer may hold {left} tokens instead of {max_tokens}"))
        max_tokens = left
    plan = AnswerPlan(
        prompt_tokens=prompt_tokens,
        max_tokens=max_tokens,
        context_tokens=decoder.context_tokens,
        num_passages=len(chosen),
        given_up=tuple(steps),
        sent=messages[-1].content,
    )
    return Admission(messages, chosen, max_tokens, plan)


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


def _cut_question(question: str, mode: ModeName, decoder: Decoder, room: int, steps: list[PlanStep]) -> str:
    """Return the question, or its beginning and end where it alone exceeds `room` tokens."""
    kept = question
    while len(kept) > MIN_QUESTION_CHARACTERS:
        tokens = decoder.count_tokens(messages_for((), user_message(kept, mode, ())))
        if tokens <= room:
            break
        size = max(MIN_QUESTION_CHARACTERS, int(len(kept) * room / tokens * 0.9))
        kept = f"{question[: size * 2 // 3]} … {question[-(size // 3) :]}"
    if kept is not question:
        left_out = len(question) - len(kept)
        steps.append(
            PlanStep("question", f"left out {left_out:,} of its {len(question):,} characters, in the middle")
        )
    return kept


def _shrink(
    question: str,
    mode: ModeName,
    passages: tuple[Passage, ...],
    history: tuple[TurnRecord, ...],
    decoder: Decoder,
    room: int,
) -> tuple[tuple[ChatMessage, ...], tuple[Passage, ...], tuple[TurnRecord, ...]]:
    while True:
        messages = messages_for(history, user_message(question, mode, passages))
        if decoder.count_tokens(messages) <= room:
            return messages, passages, history
        if history:
            history = history[1:]
        elif passages:
            passages = passages[:-1]
        else:
            raise errors.ContextOverflowError(
                f"The question takes {decoder.count_tokens(messages)} tokens; {room} fit.",
                "Shorten the question, or use a model with a longer context. The rules found are above.",
            )


def _within_latency(
    request: PipelineRequest, settings: Settings, max_tokens: int, steps: list[PlanStep]
) -> int:
    budget_ms = request.latency_budget_ms or settings.engine.latency_budget_ms
    if not budget_ms:
        return max_tokens
    fits = max(MIN_ANSWER_TOKENS, int(budget_ms / 1000 * UNKNOWN_TOKENS_PER_S))
    if fits < max_tokens:
        steps.append(PlanStep("length", f"at most {fits} tokens, to keep within {budget_ms:.0f} ms"))
    return min(max_tokens, fits)


def _check_memory(request: PipelineRequest, settings: Settings, decoder: Decoder) -> None:
    budget_mb = request.memory_budget_mb or settings.engine.memory_budget_mb
    memory = decoder.memory()
    if not budget_mb or memory is None:
        return
    needed = memory.weights_bytes + memory.kv_cache_bytes + memory.workspace_bytes
    if needed > budget_mb * 1024 * 1024:
        raise errors.MemoryError(
            f"This model takes {needed / 1024 / 1024:.0f} MiB; the budget is {budget_mb:.0f} MiB.",
            "Raise the memory budget, or choose a smaller model with `hexcore models use`.",
        )
