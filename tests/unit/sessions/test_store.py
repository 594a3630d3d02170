from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import msgspec
import pytest

from hexcore_engine.errors import SessionError, UsageError
from hexcore_engine.protocol.records import Citation, TurnRecord, Usage
from hexcore_engine.sessions.store import KEEP_DELETED_S, SessionStore


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / "sessions.sqlite")


def test_a_turn_comes_back_as_it_was_stored(store: SessionStore) -> None:
    session = store.create("Does it trample?")
    turn = store.begin_turn(session, "Does it trample?")
    citations = (Citation("702.19b", True, "quoted", 0, 9),)
    usage = Usage(100, 50, 20, 12.5, 40.0)
    store.update_turn(turn, response="[702.19b] yes", citations=citations, usage=usage, stop_reason="end")
    (stored,) = store.turns(session)
    assert (stored.response, stored.citations, stored.usage) == ("[702.19b] yes", citations, usage)
    assert store.session("last").num_turns == 1


def test_a_follow_up_repeats_the_answered_turns_before_it(store: SessionStore) -> None:
    session = store.create("Does it glow?")
    for words in ("one", "", "three", "four"):
        turn = store.begin_turn(session, f"Does {words} glow?")
        store.update_turn(turn, sent=f"Asked {words}.", response=words)
    store.begin_turn(session, "A question that still waits.")
    told = store.told_turns(session, before=turn)
    assert [(turn.sent, turn.response) for turn in told] == [("Asked one.", "one"), ("Asked three.", "three")]
    # One that could not be saved has no number, and all are before it.
    assert [turn.response for turn in store.told_turns(session)] == ["one", "three", "four"]


def test_the_conversation_written_to_last_is_the_newest(store: SessionStore) -> None:
    first, second = store.create("one"), store.create("two")
    assert store.latest() == second
    store.begin_turn(first, "again")
    assert store.latest() == first
    assert [entry.session_id for entry in store.list_sessions()] == [first, second]


def test_what_a_dead_engine_left_is_marked_and_kept(tmp_path: Path) -> None:
    store = SessionStore(tmp_path / "sessions.sqlite")
    session = store.create("q")
    store.update_turn(store.begin_turn(session, "q"), response="half an ans")
    reopened = SessionStore(tmp_path / "sessions.sqlite")
    (turn,) = reopened.turns(session)
    assert (turn.response, turn.stop_reason) == ("half an ans", "engine_lost")


def _reopened(store: SessionStore, tmp_path: Path, age_s: float = 0) -> SessionStore:
    """The file opened anew, `age_s` seconds after whatever was deleted."""
    with store._writing() as connection:
        connection.execute("UPDATE session SET deleted = deleted - ? WHERE deleted", (age_s,))
    store.close()
    return SessionStore(tmp_path / "sessions.sqlite")


def test_delete_can_be_undone_for_a_week(store: SessionStore, tmp_path: Path) -> None:
    first, second = store.create("first"), store.create("second")
    store.delete(first)
    store.delete(second)
    reopened = _reopened(store, tmp_path, KEEP_DELETED_S - 60)
    assert reopened.list_sessions() == ()
    assert reopened.delete("last", undo=True) == second
    assert reopened.delete("last", undo=True) == first
    assert [entry.title for entry in reopened.list_sessions()] == ["second", "first"]


def test_what_was_deleted_a_week_ago_is_gone_with_its_words(store: SessionStore, tmp_path: Path) -> None:
    gone = store.create("gone")
    store.begin_turn(gone, "Where is the lantern?")
    store.delete(gone)
    reopened = _reopened(store, tmp_path, KEEP_DELETED_S + 60)
    with pytest.raises(SessionError, match="no deleted conversation"):
        reopened.delete("last", undo=True)
    assert reopened._read("SELECT count(*) FROM said") == [(0,)]


def test_titles_are_one_clean_line(store: SessionStore) -> None:
    session = store.create("a\x1b[31m\nb" + "c" * 200)
    title = store.session(session).title
    assert title.startswith("a bc")
    assert len(title) <= 80


def test_a_deleted_conversation_takes_no_more_questions_and_is_in_nobodys_way(store: SessionStore) -> None:
    session = store.create("first")
    store.delete(session)
    with pytest.raises(SessionError, match="was deleted"):
        store.resolve(session)
    assert store.delete(session, undo=True) == session
    assert store.resolve(session[:6]) == session


def test_an_unknown_conversation_is_said(store: SessionStore) -> None:
    with pytest.raises(SessionError, match="no conversation"):
        store.session("nope")
    with pytest.raises(SessionError, match="no conversation yet"):
        store.resolve("last")


def test_exports_hold_question_answer_and_marks(store: SessionStore) -> None:
    session = store.create("q")
    turn = store.begin_turn(session, "Why?")
    citation = Citation("702.2c", True, "retrieved", 0, 8)
    store.update_turn(
        turn, response="[702.2c]", citations=(citation,), stop_reason="end", rules_release="2026-01-16"
    )
    markdown = store.export(session)
    assert "## Why?" in markdown
    assert "702.2c: from the evidence" in markdown
    assert "2026-01-16" in markdown
    assert json.loads(store.export(session, "json"))["turns"][0]["question"] == "Why?"
    with pytest.raises(UsageError):
        store.export(session, "pdf")


def test_a_damaged_file_is_kept_aside(tmp_path: Path) -> None:
    file = tmp_path / "sessions.sqlite"
    file.write_bytes(b"this is no database at all, not even close to one" * 50)
    store = SessionStore(file)
    assert store.damaged_file is not None
    assert store.damaged_file.read_bytes().startswith(b"this is no")
    assert store.list_sessions() == ()


def test_a_file_whose_tables_are_no_text_any_more_is_kept_aside(store: SessionStore, tmp_path: Path) -> None:
    store.close()
    file = tmp_path / "sessions.sqlite"
    spoilt = file.read_bytes().replace(b"AFTER INSERT", b"\xf5FTER INSERT")
    file.write_bytes(spoilt)
    damaged = SessionStore(file).damaged_file
    assert damaged is not None
    assert damaged.read_bytes() == spoilt


def test_a_damaged_file_keeps_what_was_written_last_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "sessions.sqlite"
    SessionStore(file).close()
    store = SessionStore(file)
    store.create("written last")
    log = Path(f"{file}-wal").read_bytes()
    assert b"written last" in log
    # As a killed engine leaves them: the file's first page is rubbish, its log is whole.
    (tmp_path / "killed").mkdir()
    killed = tmp_path / "killed" / file.name
    killed.write_bytes(b"rubbish" * 1000)
    Path(f"{killed}-wal").write_bytes(log)
    damaged = SessionStore(killed).damaged_file
    assert damaged is not None
    # SQLite may have written the log into the file meanwhile.
    kept = [file.read_bytes() for file in killed.parent.glob("*.damaged*")]
    assert any(b"written last" in content for content in kept)


def _change(tmp_path: Path, store: SessionStore, statement: str, *values: object) -> SessionStore:
    with sqlite3.connect(tmp_path / "sessions.sqlite") as connection:
        connection.execute(statement, values)
    store.close()
    return SessionStore(tmp_path / "sessions.sqlite")


@pytest.mark.parametrize("column", ["passages", "citations", "usage", "mode", "notes", "error"])
def test_damage_beside_an_answer_does_not_keep_it_from_being_read(
    store: SessionStore, tmp_path: Path, column: str
) -> None:
    session = store.create("Does it trample?")
    turn = store.begin_turn(session, "Does it trample?")
    store.update_turn(turn, response="It does.", stop_reason="end")
    store = _change(tmp_path, store, f"UPDATE turn SET {column} = ?", '[{"rule": "70')
    (stored,) = store.turns(session)
    assert (stored.question, stored.response, stored.stop_reason) == ("Does it trample?", "It does.", "end")


def test_a_damaged_letter_leaves_the_others_readable_and_every_record_can_be_sent(
    store: SessionStore, tmp_path: Path
) -> None:
    session = store.create("Does it trample?")
    turn = store.begin_turn(session, "Does it trample?")
    store.update_turn(turn, response="It does.", stop_reason="end")
    statement = "UPDATE turn SET response = CAST(? AS TEXT), stop_reason = 'enc', asked_at = 7, model = x'00'"
    store = _change(tmp_path, store, statement, b"It d\xffes.")
    (stored,) = store.turns(session)
    assert (stored.response, stored.stop_reason) == ("It d\ufffdes.", "engine_lost")
    assert msgspec.json.decode(msgspec.json.encode(stored), type=TurnRecord) == stored


def test_of_two_deleted_ones_the_later_comes_back_first_also_when_the_clock_was_put_back(
    store: SessionStore, tmp_path: Path
) -> None:
    first, second = store.create("first"), store.create("second")
    store.delete(first)
    store = _change(tmp_path, store, "UPDATE session SET deleted = deleted + 1e9 WHERE deleted")
    store.delete(second)
    assert store.delete("last", undo=True) == second
    assert store.delete("last", undo=True) == first


def test_what_a_clock_in_the_future_deleted_is_still_removed_a_week_later(
    store: SessionStore, tmp_path: Path
) -> None:
    store.delete(store.create("gone"))
    store = _change(tmp_path, store, "UPDATE session SET deleted = deleted + 1e9 WHERE deleted")
    store = _reopened(store, tmp_path, KEEP_DELETED_S + 60)
    assert store._read("SELECT count(*) FROM session") == [(0,)]


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "sessions.sqlite"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SessionError, match="newer"):
        SessionStore(file)


def test_a_branch_repeats_the_turns_before_one_and_leaves_the_other_line_as_it_is(
    store: SessionStore,
) -> None:
    session_id = store.create("Lanterns")
    first, second = (store.begin_turn(session_id, question) for question in ("One?", "Two?"))
    store.update_turn(first, response="The lantern.", stop_reason="end")
    branch = store.branch(session_id, second)
    assert [(turn.question, turn.response) for turn in store.turns(branch)] == [("One?", "The lantern.")]
    assert [turn.question for turn in store.turns(session_id)] == ["One?", "Two?"]
    assert store.session(branch).title == "Lanterns (branch)"
    assert store.session(store.branch(branch, store.turns(branch)[0].turn_id)).title == "Lanterns (branch)"
    with pytest.raises(SessionError):
        store.branch(session_id, 999)


def test_each_question_ever_asked_is_listed_once_newest_first_without_deleted_ones(
    store: SessionStore,
) -> None:
    kept, deleted = store.create("a"), store.create("b")
    for session_id, question in ((kept, "One?"), (deleted, "Gone?"), (kept, "Two?"), (kept, "One?")):
        store.begin_turn(session_id, question)
    store.delete(deleted)
    assert store.questions(10) == ("One?", "Two?")
    assert store.questions(1) == ("One?",)
