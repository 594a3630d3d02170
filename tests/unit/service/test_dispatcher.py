from __future__ import annotations

from hexcore_engine.protocol.codec import MAX_FRAME_BYTES
from hexcore_engine.protocol.records import Passage, TurnRecord
from hexcore_engine.service.dispatcher import sendable_turns
from hexcore_engine.service.history import same_evidence

PASSAGE = Passage("rule", "100.1", "Lantern", "It glows.", "named", "rules of the test")


def _turn(turn_id: int, response: str = "Yes.") -> TurnRecord:
    return TurnRecord(
        turn_id, "Why?", None, (PASSAGE,), response, (), None, "stopped", None, None, "2026", sent="x" * 1000
    )


def test_a_conversation_is_sent_without_what_only_the_engine_needs() -> None:
    assert [(turn.turn_id, turn.sent) for turn in sendable_turns((_turn(1), _turn(2)))] == [(1, ""), (2, "")]


def test_of_a_conversation_too_long_for_one_frame_the_newest_turns_are_sent() -> None:
    long = "x" * (MAX_FRAME_BYTES // 10)
    turns = sendable_turns(tuple(_turn(number, long) for number in range(1, 9)))
    assert [turn.turn_id for turn in turns] == [5, 6, 7, 8]
    assert len(sendable_turns((_turn(1, long * 9),))) == 1


def test_an_answer_that_goes_on_gets_the_evidence_of_the_turn_it_goes_on_with() -> None:
    found = same_evidence((_turn(1), _turn(2)), 2)
    assert found is not None
    assert found.passages == (PASSAGE,)
    assert same_evidence((_turn(1),), 7) is None
    assert same_evidence((_turn(1),), None) is None
