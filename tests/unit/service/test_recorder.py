"""An answer is written into its conversation while it streams, whatever the disk says in between."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from hexcore_engine.protocol.events import AnswerCompleted, AnswerOutcome, TextStreamed
from hexcore_engine.service.recorder import NOT_SAVED, TurnRecorder
from hexcore_engine.sessions.store import SessionStore

OUTCOME = AnswerCompleted("q", "s", "A moss lantern glows until dawn.", (), None, "end", None, None)


def held(file: Path) -> sqlite3.Connection:
    """Another program that writes to the conversations and takes its time."""
    connection = sqlite3.connect(file)
    connection.execute("BEGIN EXCLUSIVE")
    return connection


def test_what_one_refused_write_left_is_written_with_the_outcome(tmp_path: Path) -> None:
    store = SessionStore(tmp_path / "sessions.sqlite")
    session = store.create("Does it glow?")
    recorder = TurnRecorder(store, store.begin_turn(session, "Does it glow?"))
    other = held(tmp_path / "sessions.sqlite")
    recorder.record(TextStreamed("q", 0, "A moss lantern"))
    other.close()
    outcome = recorder.record(OUTCOME)
    (turn,) = store.turns(session)
    assert (turn.response, turn.stop_reason) == (OUTCOME.response, "end")
    assert isinstance(outcome, AnswerOutcome)
    assert NOT_SAVED not in outcome.notes
    store.close()


def test_an_outcome_that_can_not_be_written_either_says_so(tmp_path: Path) -> None:
    store = SessionStore(tmp_path / "sessions.sqlite")
    session = store.create("Does it glow?")
    recorder = TurnRecorder(store, store.begin_turn(session, "Does it glow?"))
    other = held(tmp_path / "sessions.sqlite")
    outcome = recorder.record(OUTCOME)
    other.close()
    assert isinstance(outcome, AnswerOutcome)
    assert NOT_SAVED in outcome.notes
    store.close()
