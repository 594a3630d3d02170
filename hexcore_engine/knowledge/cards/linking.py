"""Cards behind names that stand in a question: all names in memory once, records by id."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import msgspec

from hexcore_engine.knowledge.cards.records import CardRecord

_decoder = msgspec.msgpack.Decoder(CardRecord)


def folded_names(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the card id of every folded name of an ordinary card, full names and faces."""
    rows = connection.execute(
        "SELECT folded, card_id FROM card_name WHERE NOT extra ORDER BY kind = 'full', name_id DESC"
    )
    return dict(rows.fetchall())


def cards_by_id(connection: sqlite3.Connection, card_ids: Iterable[int]) -> list[CardRecord]:
    """Return cards in the order of their ids given."""
    found = []
    for card_id in card_ids:
        row = connection.execute("SELECT record FROM card WHERE card_id = ?", (card_id,)).fetchone()
        if row is not None:
            found.append(_decoder.decode(row[0]))
    return found
