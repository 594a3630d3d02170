"""The cards file: its tables, and writing cards into them.

A card is one row that holds its whole record, so one read gives it with all its faces. Names are numbered in
the order lists show them: ordinary cards before extras, then by key; so a range of numbers is a sorted list.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from hexcore_engine.knowledge.cards.names import face_names, letter_groups, name_key
from hexcore_engine.knowledge.cards.records import CardRecord, CardsSource
from hexcore_engine.knowledge.store.forms import CARDS_FORM

# A change of these, or of CardRecord, raises CARDS_FORM (store/forms.py).
# Each by itself: sqlite3's executescript would end the builder's transaction.
_TABLES = (
    # `record` is the CardRecord as msgpack.
    """CREATE TABLE card (
        card_id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        mana_cost TEXT NOT NULL,
        type_line TEXT NOT NULL,
        extra INTEGER NOT NULL,
        record BLOB NOT NULL
    )""",
    # `folded` is name_key() of the name; `kind` is 'full', or 'face' for the name of one face.
    """CREATE TABLE card_name (
        name_id INTEGER PRIMARY KEY,
        folded TEXT NOT NULL,
        card_id INTEGER NOT NULL REFERENCES card,
        kind TEXT NOT NULL,
        extra INTEGER NOT NULL
    )""",
    # Which names hold a group of three letters; `name_ids` as pack_name_ids() writes them, ascending.
    """CREATE TABLE name_letters (
        letters TEXT PRIMARY KEY,
        name_ids BLOB NOT NULL
    ) WITHOUT ROWID""",
    # One row. `name_lengths` holds the letters of the key of name 0, 1, ..., one byte each.
    """CREATE TABLE card_source (
        name TEXT NOT NULL,
        date TEXT,
        num_cards INTEGER NOT NULL,
        first_extra_name_id INTEGER NOT NULL,
        name_lengths BLOB NOT NULL
    )""",
)
_INDEX = "CREATE INDEX card_name_folded ON card_name (folded)"
_LONGEST_LENGTH = 255

NameRow = tuple[str, int, str, int]  # folded, card_id, kind, extra


def write_cards(connection: sqlite3.Connection, cards: Iterable[CardRecord], source: CardsSource) -> None:
    """Fill an empty file with `cards`; names that occur twice are written once, the first one wins."""
    connection.execute(f"PRAGMA user_version = {CARDS_FORM}")
    for table in _TABLES:
        connection.execute(table)
    by_name: dict[str, CardRecord] = {}
    for card in cards:
        by_name.setdefault(card.name, card)
    unique = list(by_name.values())
    connection.executemany("INSERT INTO card VALUES (?, ?, ?, ?, ?, ?)", _card_rows(unique))
    names = _name_rows(unique)
    connection.executemany(
        "INSERT INTO card_name VALUES (?, ?, ?, ?, ?)", ((number, *row) for number, row in enumerate(names))
    )
    _write_letters(connection, names)
    first_extra = sum(1 for row in names if not row[3])
    lengths = bytes(min(len(row[0]), _LONGEST_LENGTH) for row in names)
    connection.execute(
        "INSERT INTO card_source VALUES (?, ?, ?, ?, ?)",
        (source.name, source.date, len(unique), first_extra, lengths),
    )
    connection.execute(_INDEX)


def _card_rows(cards: Iterable[CardRecord]) -> Iterable[tuple[int, str, str, str, int, bytes]]:
    encoder = msgspec.msgpack.Encoder()
    for number, card in enumerate(cards):
        front = card.faces[0]
        yield number, card.name, front.mana_cost, front.type_line, int(card.extra), encoder.encode(card)


def _name_rows(cards: Iterable[CardRecord]) -> list[NameRow]:
    rows: list[NameRow] = []
    for number, card in enumerate(cards):
        full = name_key(card.name)
        rows.append((full, number, "full", int(card.extra)))
        faces = dict.fromkeys(name_key(face) for face in face_names(card.name))
        rows.extend((face, number, "face", int(card.extra)) for face in faces if face != full)
    return sorted(rows, key=lambda row: (row[3], row[0], row[2] != "full", row[1]))


def _write_letters(connection: sqlite3.Connection, names: Sequence[NameRow]) -> None:
    found: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
    for number, (key, *_) in enumerate(names):
        for letters in set(letter_groups(key)):
            found[letters].append(number)
    connection.executemany(
        "INSERT INTO name_letters VALUES (?, ?)",
        ((letters, pack_name_ids(found[letters])) for letters in sorted(found)),
    )


def pack_name_ids(numbers: array[int]) -> bytes:
    """The stored form of a list of name numbers: four bytes each, in this machine's order."""
    return array("I", numbers).tobytes()


def unpack_name_ids(packed: bytes) -> array[int]:
    """The list of name numbers in its stored form."""
    numbers = array("I")
    numbers.frombytes(packed)
    return numbers


def marks(count: int) -> str:
    """The placeholders of an `IN` list of `count` values."""
    return f"({', '.join('?' * count)})"
