"""Reading cards: by name, as a list while a name is typed, and the source they came from.

Each function takes a connection whose schema `main` is a cards file; damage surfaces as sqlite3's errors,
which `KnowledgeReader.query` says in words.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from hexcore_engine.knowledge.cards.name_search import NameSearch
from hexcore_engine.knowledge.cards.names import name_key
from hexcore_engine.knowledge.cards.records import CardHit, CardRecord, CardsSource
from hexcore_engine.knowledge.cards.schema import marks
from hexcore_engine.utils.validation import clean_line

LONGEST_NAME = 300
_RECORD = msgspec.msgpack.Decoder(CardRecord)
_MOST_KEYS = 500


def read_source(connection: sqlite3.Connection) -> CardsSource:
    """Where the loaded cards come from."""
    name, date, num_cards, provides, rulings_source, rulings_date = connection.execute(
        "SELECT name, date, num_cards, provides, rulings_source, rulings_date FROM card_source"
    ).fetchone()
    return CardsSource(name, date, num_cards, tuple(provides.split()), rulings_source, rulings_date)


def find_card(connection: sqlite3.Connection, name: str) -> CardRecord | None:
    """The card of that name: as written, else however it is spelt or accented, else the card with that face.

    Ordinary cards come before extras.
    """
    name = clean_line(name[:LONGEST_NAME])
    row = connection.execute("SELECT record FROM card WHERE name = ?", (name,)).fetchone()
    if row is None:
        row = connection.execute(
            "SELECT record FROM card_name JOIN card USING (card_id) WHERE folded = ?"
            " ORDER BY kind = 'face', card_name.extra, card_id LIMIT 1",
            (name_key(name),),
        ).fetchone()
    return None if row is None else _RECORD.decode(row[0])


def complete_names(connection: sqlite3.Connection, text: str, limit: int = 20) -> tuple[CardHit, ...]:
    """Cards for a name being typed, best first: the exact name, names that begin so, names with words that
    begin so, names that hold the letters; and only when there are none of these, names spelt nearly so."""
    search = NameSearch(connection, _typed_key(text))
    return read_hits(connection, search.complete(limit))


def read_hits(connection: sqlite3.Connection, card_ids: Sequence[int]) -> tuple[CardHit, ...]:
    """The lines of a list for `card_ids`, in their order."""
    hits: dict[int, CardHit] = {}
    for start in range(0, len(card_ids), _MOST_KEYS):
        part = card_ids[start : start + _MOST_KEYS]
        rows = connection.execute(
            f"SELECT card_id, name, mana_cost, type_line FROM card WHERE card_id IN {marks(len(part))}", part
        )
        hits.update((card_id, CardHit(*hit)) for card_id, *hit in rows)
    return tuple(hits[card_id] for card_id in card_ids)


def _typed_key(text: str) -> str:
    return name_key(clean_line(text[:LONGEST_NAME]))
