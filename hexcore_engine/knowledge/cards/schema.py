"""The cards file: its tables, and writing cards into them.

A card is one row that holds its whole record, so one read gives it with all its faces. Names are numbered in
the order lists show them: ordinary cards before extras, then by key; so a range of numbers is a sorted list.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from hexcore_engine.knowledge.cards.card_facts import FactsBuilder
from hexcore_engine.knowledge.cards.columns import COLUMN_TABLES
from hexcore_engine.knowledge.cards.linking import write_name_index
from hexcore_engine.knowledge.cards.names import face_names, letter_groups, name_key
from hexcore_engine.knowledge.cards.records import CardRecord, CardsSource
from hexcore_engine.knowledge.store.forms import CARDS_FORM

# A change of these, of CardRecord or of what is derived from it (traits.py, produced.py and the like) raises
# CARDS_FORM (store/forms.py).
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
        name_lengths BLOB NOT NULL,
        provides TEXT NOT NULL,
        rulings_source TEXT NOT NULL,
        rulings_date TEXT
    )""",
    *COLUMN_TABLES,
)
_INDEX = "CREATE INDEX card_name_folded ON card_name (folded)"
_LONGEST_LENGTH = 255
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(CardRecord)

NameRow = tuple[str, int, str, int]  # folded, card_id, kind, extra


def write_cards(connection: sqlite3.Connection, cards: Iterable[CardRecord], source: CardsSource) -> None:
    """Fill an empty file with `cards`, taken one by one; how many were written stands in `card_source`.

    Names that occur twice are written once: an ordinary card before an extra, else the first.
    """
    connection.execute(f"PRAGMA user_version = {CARDS_FORM}")
    for table in _TABLES:
        connection.execute(table)
    facts = FactsBuilder()
    names: list[NameRow] = []
    num_cards = 0
    for num_cards, card in enumerate(_once_each(cards), start=1):
        number = num_cards - 1
        connection.execute("INSERT INTO card VALUES (?, ?, ?, ?, ?, ?)", _card_row(number, card))
        names.extend(_name_rows(number, card))
        facts.add(card)
    facts.write(connection)
    _write_names(connection, sorted(names, key=lambda row: (row[3], row[0], row[2] != "full", row[1])))
    write_name_index(connection)
    _write_source(connection, source, num_cards)


def _once_each(cards: Iterable[CardRecord]) -> Iterator[CardRecord]:
    """Ordinary cards as they come, then extras; the extras wait packed, for they may be many."""
    taken: set[str] = set()
    extras: list[bytes] = []
    for card in cards:
        if card.extra:
            extras.append(_ENCODER.encode(card))
        elif card.name not in taken:
            taken.add(card.name)
            yield card
    for packed in extras:
        card = _DECODER.decode(packed)
        if card.name not in taken:
            taken.add(card.name)
            yield card


def _card_row(number: int, card: CardRecord) -> tuple[int, str, str, str, int, bytes]:
    front = card.faces[0]
    return number, card.name, front.mana_cost, front.type_line, int(card.extra), _ENCODER.encode(card)


def _name_rows(number: int, card: CardRecord) -> Iterator[NameRow]:
    full = name_key(card.name)
    yield full, number, "full", int(card.extra)
    for face in dict.fromkeys(name_key(face) for face in face_names(card.name)):
        if face != full:
            yield face, number, "face", int(card.extra)


def _write_names(connection: sqlite3.Connection, names: Sequence[NameRow]) -> None:
    connection.executemany(
        "INSERT INTO card_name VALUES (?, ?, ?, ?, ?)", ((number, *row) for number, row in enumerate(names))
    )
    _write_letters(connection, names)
    connection.execute(_INDEX)


def _write_source(connection: sqlite3.Connection, source: CardsSource, num_cards: int) -> None:
    rows = connection.execute("SELECT folded, extra FROM card_name ORDER BY name_id").fetchall()
    connection.execute(
        "INSERT INTO card_source VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            source.name,
            source.date,
            num_cards,
            sum(1 for _, extra in rows if not extra),
            bytes(min(len(folded), _LONGEST_LENGTH) for folded, _ in rows),
            " ".join(source.provides),
            source.rulings_source,
            source.rulings_date,
        ),
    )


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
