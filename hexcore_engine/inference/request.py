"""What the pipeline is asked: one question with everything needed to answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hexcore_engine.protocol.records import ModeName, TurnRecord

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
