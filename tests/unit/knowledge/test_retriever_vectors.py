"""What the retriever does with an index of vectors, and what it says where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from hexcore_engine.knowledge.index.base import NOT_INSTALLED, NOT_READY, Absence
from hexcore_engine.knowledge.retriever import HybridRetriever
from hexcore_engine.knowledge.rules.release import import_rules_file
from hexcore_engine.knowledge.store.pointer import read_pointer
from tests.unit.knowledge.rules.own_release import OwnRelease

from .index.word_vectors import FixedIndex

RULES = {"101": ["101.1. Lanterns glow.", "101.2. Whoever drops a kettle waits.", "101.3. Ferries sink."]}
KETTLE = 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    file = tmp_path / "own.txt"
    file.write_text(OwnRelease("May 5, 2025", "effective", "Game Concepts", RULES).text())
    import_rules_file(tmp_path / "knowledge", file)
    return tmp_path / "knowledge"


def test_a_rule_found_by_meaning_alone_is_shown(folder: Path) -> None:
    assert not HybridRetriever(folder).retrieve("xylophone").passages
    index = FixedIndex((KETTLE, "body", 0.8))
    found = HybridRetriever(folder, index).retrieve("xylophone")
    assert [passage.id for passage in found.passages] == ["101.2"]
    assert found.passages[0].why == "its meaning is near your question"
    assert not [note for note in (*found.notes, *found.optional) if "ector" in note]
    pointer = read_pointer(folder)
    assert pointer is not None
    assert index.asked == [(pointer.releases[0].file, "xylophone")]


def test_vectors_can_be_left_out(folder: Path) -> None:
    index = FixedIndex((KETTLE, "body", 0.8))
    retriever = HybridRetriever(folder, index, without=("vectors",))
    assert not retriever.retrieve("xylophone").passages
    assert not index.asked


def test_vectors_that_are_on_their_way_are_named_in_the_notes(folder: Path) -> None:
    found = HybridRetriever(folder, FixedIndex()).retrieve("kettle")
    assert NOT_READY.note in found.notes
    assert not found.optional


@pytest.mark.parametrize(
    ("index", "note"),
    [(None, NOT_INSTALLED.note), (FixedIndex(absence=Absence("Broken.", "Mend it.")), "Broken. Mend it.")],
)
def test_vectors_nobody_installed_are_named_apart_from_the_notes(
    folder: Path, index: FixedIndex | None, note: str
) -> None:
    found = HybridRetriever(folder, index).retrieve("kettle")
    assert found.optional == (note,)
    assert note not in found.notes


def test_whoever_turned_vectors_off_is_not_told_so(folder: Path) -> None:
    index = FixedIndex(absence=Absence("Turned off.", chosen=True))
    found = HybridRetriever(folder, index).retrieve("kettle")
    assert not [note for note in (*found.notes, *found.optional) if "Turned off" in note]


def test_getting_ready_asks_for_no_vectors(folder: Path) -> None:
    index = FixedIndex((KETTLE, "body", 0.8))
    found = HybridRetriever(folder, index).retrieve("", 1)
    assert not index.asked
    assert not found.optional
