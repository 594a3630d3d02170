"""What an answer takes over from an earlier turn of its conversation, beside its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hexcore_engine.protocol.records import TurnRecord

if TYPE_CHECKING:
    from hexcore_engine.knowledge.retriever import Retrieval


def same_evidence(turns: tuple[TurnRecord, ...], turn_id: int | None) -> Retrieval | None:
    """Return what was found for an earlier turn that a model answered, for an answer that goes on with it."""
    from hexcore_engine.knowledge.retriever import Retrieval

    turn = next((turn for turn in turns if turn.turn_id == turn_id and turn.sent and turn.response), None)
    return Retrieval(turn.passages, turn.rules_release, 0.0) if turn else None
