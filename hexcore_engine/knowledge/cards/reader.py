"""Reading cards: by name, as a list while a name is typed, and the source they came from.

Each function takes a connection whose schema `main` is a cards file; damage surfaces as sqlite3's errors,
which `KnowledgeReader.query` says in words.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from hexcore_engine.knowledge.cards.name_search import NameSearch
from hexcore_engine.knowledge.cards.names import name_key
from hexcore_engine.knowledge.cards.records import CardHit, CardRecord, CardSearch, CardsSource
from hexcore_engine.knowledge.cards.schema import marks
from hexcore_engine.utils.validation import clean_line

LONGEST_NAME = 300
_RECORD = msgspec.msgpack.Decoder(CardRecord)
_MOST_KEYS = 500


def read_source(connection: sqlite3.Connection) -> CardsSource:
    """Where the loaded cards come from."""
    name, date, num_cards = connection.execute("SELECT name, date, num_cards FROM card_source").fetchone()
    return CardsSource(name=name, date=date, num_cards=num_cards)


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


def names_of_keys(connection: sqlite3.Connection, keys: Iterable[str]) -> dict[str, str]:
    """The card names behind those of `keys` (see `name_key`) that are a card's or a face's name."""
    found: dict[str, str] = {}
    wanted = list(dict.fromkeys(keys))
    for start in range(0, len(wanted), _MOST_KEYS):
        part = wanted[start : start + _MOST_KEYS]
        rows = connection.execute(
            "SELECT folded, name FROM card_name JOIN card USING (card_id)"
            f" WHERE folded IN {marks(len(part))}"
            " ORDER BY kind = 'face', card_name.extra, card_id",
            part,
        )
        for key, name in rows:
            found.setdefault(key, name)
    return found


def complete_names(connection: sqlite3.Connection, text: str, limit: int = 20) -> tuple[CardHit, ...]:
    """Cards for a name being typed, best first: the exact name, names that begin so, names with words that
    begin so, names that hold the letters; and only when there are none of these, names spelt nearly so."""
    search = NameSearch(connection, _typed_key(text))
    return read_hits(connection, search.complete(limit))


def search_names(connection: sqlite3.Connection, query: str, limit: int = 50) -> CardSearch:
    """Cards whose name holds every word of `query`, with their total; the nearest spellings when none
    does."""
    words, ignored = _split_query(query)
    search = NameSearch(connection, _typed_key(" ".join(words)))
    matches = search.complete(limit)
    if not matches:
        return CardSearch(hits=(), total=0, reading=_reading("no name holds", words), ignored=ignored)
    if search.by_spelling:
        hits = read_hits(connection, matches)
        return CardSearch(hits, len(hits), _reading("no name holds", words) + "; spelt nearly so", ignored)
    total = search.count_matches()
    return CardSearch(read_hits(connection, matches), total, _reading("the name holds", words), ignored)


def read_hits(connection: sqlite3.Connection, card_ids: Sequence[int]) -> tuple[CardHit, ...]:
    """The lines of a list for `card_ids`, in their order."""
    rows = {
        card_id: CardHit(name, mana_cost, type_line)
        for card_id, name, mana_cost, type_line in connection.execute(
            f"SELECT card_id, name, mana_cost, type_line FROM card WHERE card_id IN {marks(len(card_ids))}",
            card_ids,
        )
    }
    return tuple(rows[card_id] for card_id in card_ids)


def _typed_key(text: str) -> str:
    return name_key(clean_line(text[:LONGEST_NAME]))


def _split_query(query: str) -> tuple[list[str], tuple[str, ...]]:
    words: list[str] = []
    ignored: list[str] = []
    for word in clean_line(query[:LONGEST_NAME]).replace('"', " ").split():
        field, colon, value = word.partition(":")
        if colon and value and field.lstrip("-").isalpha():
            ignored.append(f"{word}: only names are searched")
        else:
            words.append(word)
    return words, tuple(ignored)


def _reading(verb: str, words: Sequence[str]) -> str:
    return " ".join((verb, *(f"“{word}”" for word in words))) if words else "no name was given"
