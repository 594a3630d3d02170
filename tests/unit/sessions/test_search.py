"""Conversations are found by any word that was said in them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hexcore_engine.sessions.schema import MIGRATIONS
from hexcore_engine.sessions.store import SessionStore


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    store = SessionStore(tmp_path / "sessions.sqlite")
    _say(store, "Does the lantern burn?", "It burns as long as the Titan attacks [702.19b].")
    _say(store, "Who holds the rope?", "The guide does, and nobody else at the table.")
    return store


def _say(store: SessionStore, question: str, answer: str) -> str:
    session = store.create(question)
    turn = store.begin_turn(session, question)
    store.update_turn(turn, response=answer[:5])
    store.update_turn(turn, response=answer, stop_reason="end")
    return session


def _found(store: SessionStore, words: str) -> list[str]:
    return [hit.session.title for hit in store.search(words)]


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("lantern", ["Does the lantern burn?"]),
        ("TITAN attacking", ["Does the lantern burn?"]),
        ("702.19b", ["Does the lantern burn?"]),
        ("gui", ["Who holds the rope?"]),
        ("the", ["Who holds the rope?", "Does the lantern burn?"]),
        ('"nobody else"', ["Who holds the rope?"]),
        ('"else nobody"', []),
        ("lantern rope", []),
        ("", []),
        ("?!", []),
        ('" OR NEAR( * said:x', []),
    ],
)
def test_words_find_the_conversations_that_hold_them_all(
    store: SessionStore, words: str, titles: list[str]
) -> None:
    assert _found(store, words) == titles


def test_the_excerpt_says_where_the_words_stand(store: SessionStore) -> None:
    (hit,) = store.search("titan")
    (mark,) = hit.marks
    assert hit.excerpt[slice(*mark)] == "Titan"
    assert hit.num_found == 1


def test_a_title_counts_too_and_a_deleted_conversation_does_not(store: SessionStore) -> None:
    (hit,) = store.search("rope")
    store.rename(hit.session.session_id, "100%_sure")
    assert [(hit.session.title, hit.excerpt) for hit in store.search("100%_")] == [("100%_sure", "")]
    store.delete(hit.session.session_id)
    assert _found(store, "rope") == []
    store.delete("last", undo=True)
    assert _found(store, "rope") == ["100%_sure"]


def test_an_answer_cut_short_is_found_once_the_file_is_opened_anew(tmp_path: Path) -> None:
    store = SessionStore(tmp_path / "sessions.sqlite")
    turn = store.begin_turn(store.create("q"), "q")
    store.update_turn(turn, response="half a sentence about ferns")
    store.close()
    assert _found(SessionStore(tmp_path / "sessions.sqlite"), "ferns") == ["q"]


def test_what_an_older_version_stored_is_found(tmp_path: Path) -> None:
    file = tmp_path / "sessions.sqlite"
    connection = sqlite3.connect(file)
    connection.executescript(f"{MIGRATIONS[0]}; PRAGMA user_version = 1;")
    connection.execute("INSERT INTO session VALUES ('s1', 'Old', '', '', 1, 0)")
    connection.execute(
        "INSERT INTO turn (session_id, question, asked_at, response, stop_reason)"
        " VALUES ('s1', 'A moth?', '', 'Yes.', 'end')"
    )
    connection.commit()
    connection.close()
    assert _found(SessionStore(file), "moth") == ["Old"]
