"""Damage is found from the header at every opening, and from all bytes on request."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hexcore_engine.knowledge.store.integrity import damage_of, digest_of, quick_damage_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A whole database of several pages, with a name that an address would have to quote."""
    file = tmp_path / "a moss? #1.sqlite"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE lanterns (number INTEGER PRIMARY KEY, words TEXT)")
    connection.executemany(
        "INSERT INTO lanterns VALUES (?, ?)", [(number, f"lantern {number} " * 20) for number in range(500)]
    )
    connection.commit()
    connection.close()
    return file


def spoil(file: Path, place: int, signs: bytes) -> None:
    content = bytearray(file.read_bytes())
    content[place : place + len(signs)] = signs
    file.write_bytes(content)


def test_a_whole_file_has_no_damage(file: Path) -> None:
    assert quick_damage_of(file) is None
    assert damage_of(file) is None
    assert damage_of(file, digest_of(file)) is None


def test_the_largest_pages_are_written_as_one(tmp_path: Path) -> None:
    file = tmp_path / "large.sqlite"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA page_size = 65536")
    connection.execute("CREATE TABLE moss (number INTEGER)")
    connection.close()
    assert file.read_bytes()[16:18] == b"\x00\x01"
    assert quick_damage_of(file) is None


@pytest.mark.parametrize("digest", [None, "0" * 64])
def test_what_header_and_size_tell_is_said_without_reading_on(file: Path, digest: str | None) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    assert damage_of(file, digest) == f"it has {len(whole) - 10} bytes where {len(whole)} belong"
    for other in (b"", whole[:99], b"moss" * 100):
        file.write_bytes(other)
        assert damage_of(file, digest) == "it is not a database any more"
    file.unlink()
    assert damage_of(file, digest) == "it is gone"
    file.mkdir()
    assert damage_of(file, digest) == "it can't be read (Is a directory)"


def test_one_changed_letter_is_found_by_the_hash_alone(file: Path) -> None:
    digest = digest_of(file)
    spoil(file, file.read_bytes().index(b"lantern 7 lantern"), b"L")
    assert quick_damage_of(file) is None
    assert damage_of(file) is None
    assert damage_of(file, digest) == "its bytes are not those that were written"


def test_a_broken_page_is_found_by_walking_the_structure(file: Path) -> None:
    spoil(file, 4096, b"\xff" * 64)
    reason = damage_of(file)
    assert reason
    assert "\n" not in reason
