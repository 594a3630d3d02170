"""Fitting a question into the model's context and the user's budgets; whatever is given up is stated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from hexcore_engine import errors
from hexcore_engine.inference.decoders.base import ChatMessage, DecodeFinished, Decoder
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
# Share of the room that is left to a question that has to be cut.
KEPT_QUESTION = 0.75
# Passages kept as long as earlier turns can go instead.
MIN_PASSAGES = 2
# Assumed speed of a model that has not answered yet, tokens a second.
UNKNOWN_PACE_TOKENS_PER_S = 20.0
# A shorter prefill says more about its fixed costs than about its speed.
MIN_MEASURED_PREFILL_TOKENS = 32


@dataclass(frozen=True)
class Pace:
    """Measured speed of the loaded model, tokens a second; None until an answer has been measured."""

    prompt_tokens_per_s: float | None = None
    tokens_per_s: float | None = None

    def after(self, finished: DecodeFinished) -> Pace:
        """Return the pace with one more answer measured."""
        computed = finished.prompt_tokens - finished.cached_tokens
        prompt = self.prompt_tokens_per_s
        if finished.prompt_ms and computed >= MIN_MEASURED_PREFILL_TOKENS:
            prompt = computed / finished.prompt_ms * 1000
        return Pace(prompt, finished.tokens_per_s or self.tokens_per_s)

    def time_ms(self, prompt_tokens: int, max_tokens: int) -> float | None:
        """Return the most time an answer can take, an empty cache supposed; None where unmeasured."""
        if not self.tokens_per_s:
            return None
        prefill_s = prompt_tokens / self.prompt_tokens_per_s if self.prompt_tokens_per_s else 0.0
        return (prefill_s + max_tokens / self.tokens_per_s) * 1000


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
    pace: Pace = Pace(),
) -> Admission:
    """Fit prompt and answer into the decoder's context and the user's budgets.

    Given up in this order, each stated as a `PlanStep`: the middle of a question that alone exceeds the
    context, passages from the last down to two, earlier turns from the oldest, the last passages, length of
    the answer. Earlier turns that no model answered carry no message and are skipped.

    Raises:
        ContextOverflowError: when the context can't even hold a question.
        MemoryError: when the model already exceeds the memory budget.
    """
    steps: list[PlanStep] = []
    peak_bytes = _check_memory(request, settings, decoder)
    max_tokens = _within_latency(request, settings, pace, steps)
    room = decoder.context_tokens - min(max_tokens, decoder.context_tokens // 2)
    question = _cut_question(request.question, mode, decoder, room, steps)
    chosen = choose_passages(passages, decoder.model.small, settings.answer.rules_in_prompt)
    history = tuple(turn for turn in request.history if turn.sent)
    prompt = _shrink(_Prompt(question, mode, chosen, history), decoder, room)
    steps += _left_out(passages, history, prompt)
    prompt_tokens = decoder.count_tokens(prompt.messages)
    left = decoder.context_tokens - prompt_tokens
    if left < max_tokens:
        steps.append(PlanStep("length", f"the answer may hold {left} tokens instead of {max_tokens}"))
        max_tokens = left
    plan = AnswerPlan(
        prompt_tokens=prompt_tokens,
        max_tokens=max_tokens,
        context_tokens=decoder.context_tokens,
        num_passages=len(prompt.passages),
        given_up=tuple(steps),
        predicted_peak_bytes=peak_bytes,
        predicted_time_ms=pace.time_ms(prompt_tokens, max_tokens),
        sent=prompt.messages[-1].content,
    )
    return Admission(prompt.messages, prompt.passages, max_tokens, plan)


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
    """Return the question, or its beginning and end where it alone exceeds `room` tokens; what is kept leaves
    room for some evidence."""
    kept = question
    while len(kept) > MIN_QUESTION_CHARACTERS:
        tokens = decoder.count_tokens(messages_for((), user_message(kept, mode, ())))
        if tokens <= room:
            break
        size = max(MIN_QUESTION_CHARACTERS, int(len(kept) * room / tokens * KEPT_QUESTION))
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
    mode: ModeName
    passages: tuple[Passage, ...]
    history: tuple[TurnRecord, ...]

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        return messages_for(self.history, user_message(self.question, self.mode, self.passages))

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


def latency_budget_ms(request: PipelineRequest, settings: Settings) -> float:
    """Return the time an answer may take, in ms; 0 is no limit."""
    return request.latency_budget_ms or settings.engine.latency_budget_ms


def _within_latency(request: PipelineRequest, settings: Settings, pace: Pace, steps: list[PlanStep]) -> int:
    wanted = request.max_tokens or settings.answer.max_tokens
    budget_ms = latency_budget_ms(request, settings)
    if not budget_ms:
        return wanted
    rate = pace.tokens_per_s or UNKNOWN_PACE_TOKENS_PER_S
    fits = max(MIN_ANSWER_TOKENS, int(budget_ms / 1000 * rate))
    if fits < wanted:
        steps.append(PlanStep("length", f"at most {fits} tokens, to keep within {budget_ms:.0f} ms"))
    return min(wanted, fits)


def _check_memory(request: PipelineRequest, settings: Settings, decoder: Decoder) -> int | None:
    """Return the bytes the model holds, None where they are another machine's."""
    budget_mb = request.memory_budget_mb or settings.engine.memory_budget_mb
    memory = decoder.memory()
    if memory is None:
        return None
    needed = memory.weights_bytes + memory.kv_cache_bytes + memory.workspace_bytes
    if budget_mb and needed > budget_mb * 1024 * 1024:
        raise errors.MemoryError(
            f"This model takes {needed / 1024 / 1024:.0f} MiB; the budget is {budget_mb:.0f} MiB.",
            "Raise the memory budget, or choose a smaller model with `hexcore models use`.",
        )
    return needed
