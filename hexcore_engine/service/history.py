"""What an answer takes over from earlier turns of its conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hexcore_engine.protocol.records import TurnRecord

if TYPE_CHECKING:
    from hexcore_engine.knowledge.retriever import Retrieval


def told_history(turns: tuple[TurnRecord, ...], before: int) -> tuple[TurnRecord, ...]:
    """Return the turns a follow-up repeats: those before turn `before` (0: all) that a model was asked about
    and answered with at least a word."""
    return tuple(
        turn for turn in turns if turn.sent and turn.response and (before == 0 or turn.turn_id < before)
    )


def same_evidence(turns: tuple[TurnRecord, ...], turn_id: int) -> Retrieval | None:
    """Return what was found for an earlier turn that a model was asked about, for an answer that goes on with
    it."""
    from hexcore_engine.knowledge.retriever import Retrieval

    turn = next((turn for turn in told_history(turns, 0) if turn.turn_id == turn_id), None)
    return Retrieval(turn.passages, turn.rules_release, 0.0) if turn else None
