"""The ladder: what is given up, step by step, until an answer fits its budgets; else a refusal with numbers.

Fewer passages, no collaboration of experts, a shorter answer, a smaller cache: in this order, and each only
where it makes the prediction smaller. Time is predicted from rates measured on this machine, an empty cache
supposed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from hexcore_engine import errors
from hexcore_engine.inference.decoders.base import DecodeFinished, DecoderMemory
from hexcore_engine.inference.request import PipelineRequest
from hexcore_engine.protocol.records import PlanStep
from hexcore_engine.settings import Settings

MIB = 2**20
MIN_ANSWER_TOKENS = 32
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

    def prompt_ms(self, prompt_tokens: int) -> float:
        """Return the time of a prompt, 0 where unmeasured."""
        return prompt_tokens / self.prompt_tokens_per_s * 1000 if self.prompt_tokens_per_s else 0.0


UNMEASURED = Pace()


@dataclass(frozen=True)
class Budgets:
    """What an answer may take; None is no limit."""

    latency_ms: float | None
    memory_bytes: int | None

    @classmethod
    def of(cls, request: PipelineRequest, settings: Settings) -> Budgets:
        """Return the request's budgets, else those of the settings, where 0 is no limit.

        Raises:
            LatencyBudgetError, MemoryError: when a budget is no more than 0.
        """
        latency, memory = request.latency_budget_ms, request.memory_budget_mb
        if latency is not None and not latency > 0:
            raise errors.LatencyBudgetError(f"A budget of {latency:g} ms leaves no time for an answer.")
        if memory is not None and not memory > 0:
            raise errors.MemoryError(
                f"A budget of {memory:g} MiB leaves no memory for an answer.", "Allow more, or leave it out."
            )
        latency = settings.engine.latency_budget_ms if latency is None else latency
        memory = settings.engine.memory_budget_mb if memory is None else memory
        limited = memory and math.isfinite(memory)
        return cls(latency or None, int(memory * MIB) if limited else None)


@dataclass(frozen=True)
class Draft:
    """An answer as planned so far. `num_passages` are given to the model; `num_experts` write it together;
    `released_bytes` of kept prompts are given up for it."""

    prompt_tokens: int
    max_tokens: int
    num_passages: int
    num_experts: int = 1
    released_bytes: int = 0


@dataclass(frozen=True)
class Prediction:
    """What a draft will take on this machine; `memory` None is another machine's."""

    pace: Pace
    memory: DecoderMemory | None
    budgets: Budgets

    def time_ms(self, draft: Draft) -> float:
        """Return the most time the draft can take; an unmeasured model is supposed to be slow."""
        rate = self.pace.tokens_per_s or UNKNOWN_PACE_TOKENS_PER_S
        prompt_ms = self.pace.prompt_ms(draft.prompt_tokens) * draft.num_experts
        return prompt_ms + draft.max_tokens / rate * 1000

    def peak_bytes(self, draft: Draft) -> int | None:
        """Return the most bytes held while it is written."""
        memory = self.memory
        if memory is None:
            return None
        tokens = (draft.prompt_tokens + draft.max_tokens) * draft.num_experts
        held = memory.weights_bytes + memory.kv_cache_bytes + memory.workspace_bytes - draft.released_bytes
        return held + memory.bytes_per_token * tokens + memory.step_bytes

    def late_ms(self, draft: Draft) -> float:
        """Return by how much the draft exceeds its time, 0 when it does not."""
        limit = self.budgets.latency_ms
        return max(0.0, self.time_ms(draft) - limit) if limit is not None else 0.0

    def surplus_bytes(self, draft: Draft) -> int:
        """Return by how much it exceeds its memory, 0 when it does not."""
        peak, limit = self.peak_bytes(draft), self.budgets.memory_bytes
        return max(0, peak - limit) if peak is not None and limit is not None else 0

    def fits(self, draft: Draft) -> bool:
        """Whether both budgets are kept."""
        return not self.late_ms(draft) and not self.surplus_bytes(draft)

    def improves(self, draft: Draft, before: Draft) -> bool:
        """Whether a draft exceeds a budget by less than the one before it."""
        later = self.late_ms(draft) < self.late_ms(before)
        return later or self.surplus_bytes(draft) < self.surplus_bytes(before)

    def cache_limit_bytes(self) -> int | None:
        """Return the most bytes keys and values may take, None without a limit or where they are reserved."""
        memory, limit = self.memory, self.budgets.memory_bytes
        if memory is None or limit is None or not memory.bytes_per_token:
            return None
        return max(0, limit - memory.weights_bytes - memory.workspace_bytes - memory.step_bytes)


def write_alone(draft: Draft, prediction: Prediction) -> tuple[Draft, PlanStep | None]:
    """Let one expert write where several would."""
    alone = replace(draft, num_experts=1)
    if draft.num_experts == 1 or not prediction.improves(alone, draft):
        return draft, None
    return alone, PlanStep("collaboration", f"one expert writes instead of {draft.num_experts} together")


def write_less(draft: Draft, prediction: Prediction) -> tuple[Draft, PlanStep | None]:
    """Shorten the answer as far as is needed, at most to `MIN_ANSWER_TOKENS`."""
    shortest = replace(draft, max_tokens=min(draft.max_tokens, MIN_ANSWER_TOKENS))
    if not prediction.improves(shortest, draft):
        return draft, None
    fitting = draft.max_tokens
    rate = prediction.pace.tokens_per_s or UNKNOWN_PACE_TOKENS_PER_S
    fitting -= math.ceil(prediction.late_ms(draft) / 1000 * rate)
    memory = prediction.memory
    if memory is not None and memory.bytes_per_token:
        per_token = memory.bytes_per_token * draft.num_experts
        fitting = min(fitting, draft.max_tokens - -(-prediction.surplus_bytes(draft) // per_token))
    shorter = replace(draft, max_tokens=max(shortest.max_tokens, fitting))
    detail = f"the answer may hold {shorter.max_tokens} tokens instead of {draft.max_tokens}"
    return shorter, PlanStep("length", f"{detail}, to keep within {budget_text(prediction.budgets)}")


def keep_less(draft: Draft, prediction: Prediction) -> tuple[Draft, PlanStep | None]:
    """Give up prompts kept for later questions."""
    kept = prediction.memory.releasable_bytes if prediction.memory else 0
    released = min(kept, prediction.surplus_bytes(draft))
    if not released:
        return draft, None
    detail = f"gave up {released / MIB:.1f} of {kept / MIB:.1f} MiB of prompts kept for later questions"
    return replace(draft, released_bytes=released), PlanStep("cache", detail)


def refuse(draft: Draft, prediction: Prediction) -> None:
    """Raise when the draft exceeds a budget and nothing is left to give up; rates that were only supposed
    refuse nothing.

    Raises:
        MemoryError: with the bytes by part.
        LatencyBudgetError: with the measured rates.
    """
    if prediction.surplus_bytes(draft):
        raise _memory_refusal(draft, prediction)
    pace = prediction.pace
    if prediction.late_ms(draft) and pace.tokens_per_s:
        prompt_rate = f"{pace.prompt_tokens_per_s or 0:.0f} read and "
        raise errors.LatencyBudgetError(
            f"A prompt of {draft.prompt_tokens} and an answer of {draft.max_tokens} tokens take about "
            f"{prediction.time_ms(draft):,.0f} ms here ({prompt_rate if pace.prompt_tokens_per_s else ''}"
            f"{pace.tokens_per_s:.0f} written tokens a second); the budget is "
            f"{prediction.budgets.latency_ms:,.0f} ms.",
        )


def budget_text(budgets: Budgets) -> str:
    """Return the limits in words."""
    time = f"{budgets.latency_ms:,.0f} ms" if budgets.latency_ms is not None else ""
    memory = f"{budgets.memory_bytes / MIB:,.0f} MiB" if budgets.memory_bytes is not None else ""
    return " and ".join(part for part in (time, memory) if part)


def _memory_refusal(draft: Draft, prediction: Prediction) -> errors.MemoryError:
    memory = prediction.memory
    assert memory is not None  # noqa: S101 - without it nothing exceeds a memory budget
    answer = memory.bytes_per_token * (draft.prompt_tokens + draft.max_tokens) * draft.num_experts
    parts = (
        ("weights", memory.weights_bytes),
        ("cache", memory.kv_cache_bytes - draft.released_bytes),
        ("workspace", memory.workspace_bytes + memory.step_bytes),
        ("this answer", answer),
    )
    listed = ", ".join(f"{name} {size / MIB:,.0f}" for name, size in parts if size)
    limit = (prediction.budgets.memory_bytes or 0) / MIB
    return errors.MemoryError(
        f"Even the shortest answer takes {(prediction.peak_bytes(draft) or 0) / MIB:,.0f} MiB here "
        f"({listed}); the budget is {limit:,.0f} MiB.",
        "Raise the memory budget, or choose a smaller model with `hexcore models use`.",
    )
