from __future__ import annotations

import time
from pathlib import Path

import pytest

from hexcore_engine.data import vectors
from hexcore_engine.knowledge.index.base import NOT_READY
from hexcore_engine.knowledge.index.vectors import VectorSearch
from hexcore_engine.service.vector_keeper import VectorKeeper
from hexcore_engine.settings import DataSettings
from tests.conftest import paths_of


def settled(keeper: VectorKeeper) -> str:
    deadline = time.monotonic() + 30
    while keeper.status == "not ready yet" and time.monotonic() < deadline:
        time.sleep(0.01)
    return keeper.status


def test_where_there_can_be_some_they_are_not_ready_until_it_has_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "why_absent", lambda paths, settings: None)
    keeper = VectorKeeper(paths_of(tmp_path), DataSettings())
    assert keeper.near("rules-1.sqlite", "kettle") is None
    assert keeper.absence() == NOT_READY
    assert keeper.status == "not ready yet"
    keeper.close()


def test_where_there_can_be_none_the_first_question_learns_why(tmp_path: Path) -> None:
    keeper = VectorKeeper(paths_of(tmp_path), DataSettings())
    assert not keeper.absence().passing
    keeper.close()


def test_where_there_can_be_none_it_says_why(tmp_path: Path) -> None:
    keeper = VectorKeeper(paths_of(tmp_path), DataSettings())
    keeper.start()
    keeper.start()
    assert settled(keeper).startswith("none: ")
    assert keeper.near("rules-1.sqlite", "kettle") is None
    assert not keeper.absence().passing
    assert "hexcore setup" in keeper.absence().note
    keeper.close()


def test_what_lacked_and_was_brought_since_is_noticed_at_the_next_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = VectorKeeper(paths_of(tmp_path), DataSettings())
    keeper.start()
    assert settled(keeper).startswith("none: ")
    monkeypatch.setattr(vectors, "why_absent", lambda paths, settings: None)
    assert keeper.near("rules-1.sqlite", "kettle") is None
    deadline = time.monotonic() + 30
    while "sentence model" in keeper.status or "extra" in keeper.status:
        assert time.monotonic() < deadline, keeper.status
        time.sleep(0.01)
    keeper.close()


def test_turned_off_nothing_is_looked_for(tmp_path: Path) -> None:
    keeper = VectorKeeper(paths_of(tmp_path), DataSettings(vectors="off"))
    keeper.start()
    assert settled(keeper) == "none: Vectors are turned off."
    keeper.close()


def test_after_a_build_that_failed_vectors_made_by_hand_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bool] = []
    monkeypatch.setattr(vectors, "why_absent", lambda paths, settings: None)
    monkeypatch.setattr(VectorSearch, "read", lambda search: bool(made))
    monkeypatch.setattr(VectorSearch, "begin", lambda search, embedder: None)
    monkeypatch.setattr(VectorKeeper, "_build", lambda keeper: "The disk is full.")
    monkeypatch.setattr(VectorKeeper, "_open_embedder", lambda keeper: None)
    keeper = VectorKeeper(paths_of(tmp_path), DataSettings())
    keeper.start()
    assert settled(keeper) == "none: The disk is full."
    made.append(True)
    keeper.near("rules-1.sqlite", "kettle")
    deadline = time.monotonic() + 30
    while keeper.status != "ready":
        assert time.monotonic() < deadline, keeper.status
        time.sleep(0.01)
    keeper.close()
