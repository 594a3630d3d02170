"""The reader of the knowledge files follows the pointer and says which file is damaged."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
from pathlib import Path

import msgspec
import pytest

from hexcore_engine.errors import KnowledgeCorruptError, KnowledgeOutdatedError
from hexcore_engine.knowledge.cards.reader import find_card, read_source
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.rules.release import ensure_digest_release
from hexcore_engine.knowledge.store.builder import import_lock, remove_stale_files
from hexcore_engine.knowledge.store.integrity import damage_of, quick_damage_of
from hexcore_engine.knowledge.store.pointer import POINTER_NAME, read_pointer
from hexcore_engine.knowledge.store.reader import KnowledgeReader
from tests.unit.knowledge.cards.own_cards import own_card, publish_own


def cards_file(folder: Path) -> Path:
    pointer = read_pointer(folder)
    assert pointer is not None
    assert pointer.cards_file is not None
    return folder / pointer.cards_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    publish_own(tmp_path / "knowledge", [own_card(f"Moss Lantern {number}") for number in range(300)])
    return tmp_path / "knowledge"


def test_nothing_set_up_is_nothing_to_read(tmp_path: Path) -> None:
    reader = KnowledgeReader(tmp_path / "nowhere")
    assert reader.connection() is None
    assert reader.pointer is None
    assert not reader.has_cards
    assert not reader.has_release


def test_a_new_generation_is_seen_by_the_next_query_and_the_old_one_can_go(folder: Path) -> None:
    reader = KnowledgeReader(folder)
    with reader.query() as connection:
        assert connection is not None
        assert read_source(connection).num_cards == 300
    before = cards_file(folder)
    # Those before the present ones are kept to go back to.
    publish_own(folder, [own_card("Moss Lantern"), own_card("Ash Lantern")])
    publish_own(folder, [own_card("Ash Lantern")])
    with import_lock(folder):
        remove_stale_files(folder)
    assert not before.exists()
    with reader.query() as connection:
        assert connection is not None
        assert read_source(connection).num_cards == 1
    reader.close()


def test_an_open_query_keeps_the_generation_it_began_with(folder: Path) -> None:
    reader = KnowledgeReader(folder)
    with reader.query() as connection:
        assert connection is not None
        publish_own(folder, [own_card("Ash Lantern")])
        with import_lock(folder):
            remove_stale_files(folder)
        # Each of these looks at the pointer where no query is open.
        assert reader.has_cards
        with reader.query() as within:
            assert within is connection
        assert reader.connection() is connection
        assert find_card(connection, "moss lantern 7") is not None
        assert find_card(connection, "ash lantern") is None
    assert reader.connection() is not connection
    reader.close()


def test_cards_and_release_are_read_through_one_connection(folder: Path) -> None:
    ensure_digest_release(folder)
    reader = KnowledgeReader(folder)
    assert reader.has_cards
    assert reader.has_release
    with reader.query() as connection:
        assert connection is not None
        assert connection.execute("SELECT COUNT(*) FROM release.rule").fetchone()[0] > 1000
    reader.close()


def test_a_folder_with_signs_in_its_name_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "50% off? #1 ünd more"
    publish_own(folder, [own_card("Ash Lantern")])
    ensure_digest_release(folder)
    knowledge = Knowledge(folder)
    assert knowledge.card("Ash Lantern") is not None
    assert knowledge.release() is not None
    knowledge.close()


@pytest.mark.parametrize("kept_bytes", [0, 50, 4096, 20_000])
def test_a_truncated_file_is_named(folder: Path, kept_bytes: int) -> None:
    os.truncate(cards_file(folder), kept_bytes)
    knowledge = Knowledge(folder)
    with pytest.raises(KnowledgeCorruptError, match=cards_file(folder).name) as raised:
        knowledge.card("Moss Lantern 7")
    assert "hexcore setup" in raised.value.remedy


def test_a_file_that_is_gone_is_named(folder: Path) -> None:
    cards_file(folder).unlink()
    with pytest.raises(KnowledgeCorruptError, match="gone"):
        KnowledgeReader(folder).connection()


def test_a_file_of_other_bytes_is_named(folder: Path) -> None:
    size = cards_file(folder).stat().st_size
    cards_file(folder).write_bytes(b"<!doctype html>".ljust(size, b" "))
    with pytest.raises(KnowledgeCorruptError, match="not a database"):
        KnowledgeReader(folder).connection()


def test_wrecked_pages_are_said_as_damage_not_as_a_fault_of_the_program(folder: Path) -> None:
    file = cards_file(folder)
    content = bytearray(file.read_bytes())
    content[4096:] = random.Random(4).randbytes(len(content) - 4096)
    file.write_bytes(content)
    assert quick_damage_of(file) is None
    with pytest.raises(KnowledgeCorruptError, match=file.name):
        Knowledge(folder).card("Moss Lantern 7")


@pytest.mark.parametrize("seed", range(8))
def test_any_single_changed_byte_is_found(folder: Path, seed: int) -> None:
    pointer = read_pointer(folder)
    assert pointer is not None
    file = cards_file(folder)
    assert damage_of(file, pointer.digests[file.name]) is None
    content = bytearray(file.read_bytes())
    content[random.Random(seed).randrange(len(content))] ^= 0x20
    file.write_bytes(content)
    assert damage_of(file, pointer.digests[file.name]) is not None


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"generation": "x"}', b"[]", b"[" * 100_000])
def test_a_damaged_pointer_is_named_with_the_command(folder: Path, content: bytes) -> None:
    (folder / POINTER_NAME).write_bytes(content)
    with pytest.raises(KnowledgeCorruptError, match=POINTER_NAME) as raised:
        KnowledgeReader(folder).connection()
    assert "hexcore setup" in raised.value.remedy


def test_no_changed_letter_of_the_pointer_makes_other_files_the_ones_in_use(folder: Path) -> None:
    file, right = folder / POINTER_NAME, read_pointer(folder)
    good = file.read_bytes()
    for place in range(len(good)):
        file.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with contextlib.suppress(KnowledgeCorruptError):
            assert read_pointer(folder) == right


def test_a_pointer_of_an_older_version_carries_no_hash_and_is_read(folder: Path) -> None:
    right = read_pointer(folder)
    (folder / POINTER_NAME).write_bytes(msgspec.json.encode(right))
    assert read_pointer(folder) == right


def test_an_index_that_does_not_fit_its_cards_is_said_to_be_damaged(folder: Path) -> None:
    change(cards_file(folder), "DELETE FROM card WHERE card_id % 2")
    with pytest.raises(KnowledgeCorruptError, match=cards_file(folder).name):
        Knowledge(folder).complete_names("moss")


def test_a_changed_letter_of_a_rule_is_never_read_as_a_rule(tmp_path: Path) -> None:
    pointer = ensure_digest_release(tmp_path)
    file = tmp_path / pointer.files[0]
    content = file.read_bytes()
    place = content.index(b"deathtouch")
    file.write_bytes(content[:place] + b"l" + content[place + 1 :])
    with pytest.raises(KnowledgeCorruptError, match=file.name):
        Knowledge(tmp_path).rule("702.2")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE meta SET value = '1' WHERE name = 'schema'",
        "DELETE FROM meta WHERE name = 'schema'",
        "DROP TABLE meta",
    ],
)
def test_a_release_of_another_version_is_named_with_the_command(tmp_path: Path, statement: str) -> None:
    pointer = ensure_digest_release(tmp_path)
    file = tmp_path / pointer.files[0]
    change(file, statement)
    knowledge = Knowledge(tmp_path)
    for look_up in (knowledge.status, lambda: knowledge.search_rules("deathtouch"), knowledge.release):
        with pytest.raises(KnowledgeOutdatedError, match=file.name) as raised:
            look_up()
    assert "another version" in raised.value.message
    assert "hexcore setup" in raised.value.remedy
    assert ensure_digest_release(tmp_path).generation > pointer.generation
    assert knowledge.search_rules("deathtouch")
    knowledge.close()


@pytest.mark.parametrize("form", [0, 999])
def test_cards_of_another_version_are_named_with_the_command(folder: Path, form: int) -> None:
    change(cards_file(folder), f"PRAGMA user_version = {form}")
    with pytest.raises(KnowledgeOutdatedError, match=cards_file(folder).name):
        Knowledge(folder).card("Moss Lantern 7")


def change(file: Path, statement: str) -> None:
    connection = sqlite3.connect(file)
    connection.execute(statement)
    connection.commit()
    connection.close()
