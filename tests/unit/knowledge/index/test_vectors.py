"""Building and searching the vectors of a small release, with an embedder of single words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hexcore_engine.errors import KnowledgeCorruptError, NotSetUpError
from hexcore_engine.knowledge.index.vector_file import partial_file, read_vectors, vectors_file
from hexcore_engine.knowledge.index.vectors import (
    Progress,
    VectorSearch,
    build_vectors,
    built_so_far,
    has_faiss,
    release_texts,
)
from hexcore_engine.knowledge.rules.release import import_rules_file
from hexcore_engine.knowledge.store.pointer import ReleaseEntry, read_pointer
from tests.unit.knowledge.rules.own_release import OwnRelease

from .word_vectors import EmbedderEndedError, WordEmbedder

KEY = "words"
needs_faiss = pytest.mark.skipif(
    not has_faiss(), reason="the torch extra, which holds faiss, is not installed"
)


def own_rules(count: int = 3, last: str = "Whoever drops a kettle waits.") -> dict[str, list[str]]:
    numbered = [f"101.{number}. Lantern number {number} glows." for number in range(1, count)]
    return {"101": [*numbered, f"101.{count}. {last}"]}


def import_own(folder: Path, rules: dict[str, list[str]]) -> ReleaseEntry:
    file = folder / "own.txt"
    file.parent.mkdir(exist_ok=True)
    file.write_text(OwnRelease("May 5, 2025", "effective", "Game Concepts", rules).text())
    import_rules_file(folder, file)
    pointer = read_pointer(folder)
    entry = pointer.current_release() if pointer else None
    assert entry is not None
    return entry


def build(folder: Path, embedder: WordEmbedder, key: str = KEY) -> list[Progress]:
    told: list[Progress] = []
    build_vectors(folder, key, lambda: embedder, told.append)
    return told


def test_every_text_of_the_release_gets_a_vector(tmp_path: Path) -> None:
    entry = import_own(tmp_path, own_rules())
    embedder = WordEmbedder()
    told = build(tmp_path, embedder)
    texts = release_texts(tmp_path, entry)
    assert {found.field for found in texts} >= {"body"}
    assert sorted(embedder.texts) == sorted({found.text for found in texts})
    assert told[0] == Progress(0, len(texts))
    assert told[-1] == built_so_far(tmp_path, KEY) == Progress(len(texts), len(texts))


def test_without_rules_there_is_nothing_to_build(tmp_path: Path) -> None:
    with pytest.raises(NotSetUpError):
        build(tmp_path, WordEmbedder())
    assert built_so_far(tmp_path, KEY) == Progress(0, 0)


def test_what_is_there_is_not_built_again(tmp_path: Path) -> None:
    import_own(tmp_path, own_rules())
    build(tmp_path, WordEmbedder())
    assert build(tmp_path, WordEmbedder(most=0)) == []


def test_a_build_that_was_ended_goes_on_where_it_was(tmp_path: Path) -> None:
    entry = import_own(tmp_path, own_rules(1100))
    first = WordEmbedder(most=600)
    with pytest.raises(EmbedderEndedError):
        build(tmp_path, first)
    assert not vectors_file(tmp_path, entry.file).exists()
    assert 0 < built_so_far(tmp_path, KEY).done < built_so_far(tmp_path, KEY).total
    second = WordEmbedder()
    build(tmp_path, second)
    assert not set(first.texts) & set(second.texts)
    assert built_so_far(tmp_path, KEY).done == built_so_far(tmp_path, KEY).total
    assert not partial_file(tmp_path, entry.file).exists()


def test_after_a_change_only_the_new_texts_are_embedded(tmp_path: Path) -> None:
    former = import_own(tmp_path, own_rules())
    build(tmp_path, WordEmbedder())
    entry = import_own(tmp_path, own_rules(last="Whoever drops a kettle sings."))
    assert entry.file != former.file
    assert built_so_far(tmp_path, KEY).done == 0
    embedder = WordEmbedder()
    build(tmp_path, embedder)
    assert embedder.texts == ["Whoever drops a kettle sings."]
    assert not vectors_file(tmp_path, former.file).exists()


def test_vectors_of_another_embedder_are_not_taken(tmp_path: Path) -> None:
    import_own(tmp_path, own_rules())
    build(tmp_path, WordEmbedder())
    assert built_so_far(tmp_path, "other").done == 0
    embedder = WordEmbedder()
    build(tmp_path, embedder, "other")
    assert embedder.texts
    assert built_so_far(tmp_path, "other").done > 0


def test_damaged_vectors_are_said_kept_aside_and_built_anew(tmp_path: Path) -> None:
    entry = import_own(tmp_path, own_rules())
    build(tmp_path, WordEmbedder())
    file = vectors_file(tmp_path, entry.file)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(KnowledgeCorruptError, match="damaged"):
        built_so_far(tmp_path, KEY)
    with pytest.raises(KnowledgeCorruptError):
        VectorSearch(tmp_path, KEY).read()
    embedder = WordEmbedder()
    build(tmp_path, embedder)
    assert embedder.texts
    assert read_vectors(file) is not None
    assert len(list(tmp_path.glob("*.vectors.*.damaged"))) == 1


@needs_faiss
def test_the_nearest_text_of_a_rule_is_found_first(tmp_path: Path) -> None:
    entry = import_own(tmp_path, own_rules())
    embedder = WordEmbedder()
    build(tmp_path, embedder)
    search = VectorSearch(tmp_path, KEY)
    assert search.near(entry.file, "kettle") is None
    assert search.read()
    assert search.near(entry.file, "kettle") is None
    search.begin(embedder)
    found = search.near(entry.file, "Whoever drops a kettle waits.")
    assert found is not None
    texts = {(text.rule, text.field): text.text for text in release_texts(tmp_path, entry)}
    number = max(place for place, field in texts if field == "body")
    assert found.rules[0] == number
    assert found.likeness[0] == pytest.approx(1, abs=1e-2)
    assert np.all(np.diff(found.likeness) <= 0)
    assert search.near("rules-other-1.sqlite", "kettle") is None


@needs_faiss
def test_vectors_of_former_rules_are_not_taken_for_the_new_ones(tmp_path: Path) -> None:
    import_own(tmp_path, own_rules())
    build(tmp_path, WordEmbedder())
    import_own(tmp_path, own_rules(last="Whoever drops a kettle sings."))
    assert not VectorSearch(tmp_path, KEY).read()
