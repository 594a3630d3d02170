"""What the pipeline is asked: one question with everything needed to answer it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from hexcore_engine.errors import UsageError
from hexcore_engine.protocol.limits import check_experts, check_question
from hexcore_engine.protocol.records import MODE_NAMES, ModeName, TurnRecord
from hexcore_engine.utils.validation import clean_line

if TYPE_CHECKING:
    from hexcore_engine.knowledge.retriever import Retrieval


@dataclass(frozen=True)
class PipelineRequest:
    """One question. None takes the value from the settings or the mode.

    `history` holds the earlier turns of the conversation, oldest first; `prepared` a retrieval for exactly
    this question, done while it was being typed. Budgets are more than 0. With `give_up` False nothing is
    given up to fit a budget: what does not fit is refused. `num_experts` of the likeliest modes write
    together, or it is refused; 1 writes alone.
    """

    question: str
    question_id: str = "q"
    session_id: str = ""
    mode: ModeName | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    use_model: bool = True
    latency_budget_ms: float | None = None
    memory_budget_mb: float | None = None
    give_up: bool = True
    num_experts: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    stop: tuple[str, ...] = ()
    history: tuple[TurnRecord, ...] = ()
    prepared: Retrieval | None = None

    def check(self) -> None:
        """Refuse what can't be answered, before anything is looked for.

        Raises:
            UsageError: naming what it is and what it may be.
        """
        if not isinstance(self.question, str):
            raise UsageError("The question is no text.", "Give it as a string.")
        check_question(self.question)
        if self.mode is not None and self.mode not in MODE_NAMES:
            raise _refused("mode", self.mode, f"one of {', '.join(MODE_NAMES)}")
        check_experts(self.num_experts, self.mode)
        _check_whole("max_tokens", self.max_tokens, 1, None)
        _check_whole("seed", self.seed, -(2**63), 2**63 - 1)
        _check_number("temperature", self.temperature, "0 or more", lambda value: value >= 0)
        _check_number("top_p", self.top_p, "more than 0 and at most 1", lambda value: 0 < value <= 1)
        _check_number("min_p", self.min_p, "between 0 and 1", lambda value: 0 <= value <= 1)
        _check_number("repetition_penalty", self.repetition_penalty, "more than 0", lambda value: value > 0)
        for name in ("latency_budget_ms", "memory_budget_mb"):
            budget = getattr(self, name)
            # Those of nothing are refused where budgets are, with an error of their own.
            if budget is not None and not isinstance(budget, Real):
                raise _refused(name, budget, "a number")
        if not isinstance(self.stop, list | tuple) or not all(isinstance(s, str) and s for s in self.stop):
            raise _refused("stop", self.stop, "a tuple of texts, none of them empty")


def _check_whole(name: str, value: Any, least: int, most: int | None) -> None:
    if value is None:
        return
    if not isinstance(value, Integral) or int(value) < least or (most is not None and int(value) > most):
        raise _refused(name, value, f"a whole number from {least}" + (f" to {most}" if most else ""))


def _check_number(name: str, value: Any, wanted: str, is_right: Callable[[Any], bool]) -> None:
    if value is None:
        return
    if not isinstance(value, Real) or not math.isfinite(value) or not is_right(value):
        raise _refused(name, value, f"a number, {wanted}")


def _refused(name: str, value: Any, wanted: str) -> UsageError:
    return UsageError(
        f"An answer can't be written with {name} {clean_line(repr(value))[:60]}.", f"Give {wanted}."
    )
