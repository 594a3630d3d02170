from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest

from hexcore_engine.errors import KnowledgeCorruptError
from hexcore_engine.knowledge.index.vector_file import (
    TextVectors,
    keep_aside,
    partial_file,
    read_vectors,
    remove_unnamed,
    text_hash,
    vectors_file,
    write_vectors,
)
from hexcore_engine.knowledge.store.pointer import Pointer, ReleaseEntry, write_pointer


def own_vectors(count: int = 40) -> TextVectors:
    generator = np.random.default_rng(7)
    return TextVectors(
        "1 lantern moth",
        np.arange(count, dtype=np.int32),
        np.full(count, 4, dtype=np.uint8),
        np.array([list(text_hash(f"text {number}")) for number in range(count)], dtype=np.uint8),
        generator.normal(size=(count, 8)).astype(np.float16),
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    file = vectors_file(tmp_path, "rules-moth-3.sqlite")
    assert read_vectors(file) is None
    write_vectors(file, own_vectors())
    found = read_vectors(file)
    assert found is not None
    assert found.key == own_vectors().key
    for name in ("rules", "fields", "hashes", "vectors"):
        assert np.array_equal(getattr(found, name), getattr(own_vectors(), name))
    assert [entry.name for entry in tmp_path.iterdir()] == ["rules-moth-3.vectors"]


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04" + bytes(200)])
def test_a_file_that_is_something_else_is_said_to_be_damaged(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "own.vectors"
    file.write_bytes(content)
    with pytest.raises(KnowledgeCorruptError, match=r"own\.vectors"):
        read_vectors(file)


def test_a_cut_and_every_changed_byte_of_the_vectors_are_found(tmp_path: Path) -> None:
    file = tmp_path / "own.vectors"
    write_vectors(file, own_vectors())
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(KnowledgeCorruptError):
        read_vectors(file)
    start = whole.index(own_vectors().vectors.tobytes())
    for place in range(start, start + own_vectors().vectors.nbytes, 50):
        changed = bytearray(whole)
        changed[place] ^= 0x10
        file.write_bytes(changed)
        with pytest.raises(KnowledgeCorruptError):
            read_vectors(file)


def test_whatever_a_changed_byte_of_the_archives_contents_makes_of_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "own.vectors"
    write_vectors(file, own_vectors())
    whole, right = file.read_bytes(), own_vectors()
    for place in range(whole.index(b"PK\x01\x02"), len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0xA7]) + whole[place + 1 :])
        with contextlib.suppress(KnowledgeCorruptError):
            found = read_vectors(file)
            assert found is not None
            assert np.array_equal(found.vectors, right.vectors)


def test_parts_of_different_length_are_no_index(tmp_path: Path) -> None:
    file = tmp_path / "own.vectors"
    whole = own_vectors()
    write_vectors(file, TextVectors(whole.key, whole.rules[:3], whole.fields, whole.hashes, whole.vectors))
    with pytest.raises(KnowledgeCorruptError, match="differ in length"):
        read_vectors(file)


def test_only_vectors_of_releases_in_use_are_kept(tmp_path: Path) -> None:
    entries = tuple(ReleaseEntry(key, f"rules-{key}-1.sqlite", None, True) for key in ("moth", "ferry"))
    write_pointer(tmp_path, Pointer(1, releases=entries))
    kept = [vectors_file(tmp_path, entries[0].file), partial_file(tmp_path, entries[1].file)]
    gone = [partial_file(tmp_path, entries[0].file), tmp_path / "rules-old-1.vectors"]
    for file in (*kept, *gone):
        write_vectors(file, own_vectors(2))
    damaged = tmp_path / "rules-older-1.vectors"
    damaged.write_bytes(b"?")
    keep_aside(damaged)
    remove_unnamed(tmp_path, entries[0].file)
    assert all(file.exists() for file in kept)
    assert not any(file.exists() for file in (*gone, damaged))
    assert len(list(tmp_path.glob("*.damaged"))) == 1
