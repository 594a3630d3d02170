"""Reading cards: one by its name, and lists of names as a person types. Functions on a connection to a
cards file."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable

import msgspec

from hexcore_engine.knowledge.cards.names import letter_groups, name_key, spelling_distances
from hexcore_engine.knowledge.cards.records import CardHit, CardRecord, CardSearch, CardsSource
from hexcore_engine.knowledge.cards.schema import unpack_name_ids

_decoder = msgspec.msgpack.Decoder(CardRecord)
_HIT = (
    "SELECT card.card_id, card.name, card.mana_cost, card.type_line FROM card_name JOIN card USING (card_id)"
)
# Spellings looked at closely when nothing is spelt exactly so.
_TYPO_CANDIDATES = 80
_MAX_EDITS_SHARE = 0.4
_END = "\U0010ffff"

HitRow = tuple[int, str, str, str]


def cards_source(connection: sqlite3.Connection) -> CardsSource:
    """Return where the cards come from."""
    name, date, num_cards = connection.execute("SELECT name, date, num_cards FROM card_source").fetchone()
    return CardsSource(name, date, num_cards)


def card(connection: sqlite3.Connection, name: str) -> CardRecord | None:
    """Return a card by its name: exactly so, then letters folded, then the name of one face."""
    row = connection.execute("SELECT record FROM card WHERE name = ?", (name.strip(),)).fetchone()
    if row is None:
        row = connection.execute(
            "SELECT record FROM card_name JOIN card USING (card_id) WHERE folded = ?"
            " ORDER BY card_name.extra, kind != 'full', name_id LIMIT 1",
            (name_key(name),),
        ).fetchone()
    return _decoder.decode(row[0]) if row else None


def cards_by_id(connection: sqlite3.Connection, card_ids: Iterable[int]) -> list[CardRecord]:
    """Return cards in the order of their ids given."""
    found = []
    for card_id in card_ids:
        row = connection.execute("SELECT record FROM card WHERE card_id = ?", (card_id,)).fetchone()
        if row is not None:
            found.append(_decoder.decode(row[0]))
    return found


def complete_names(connection: sqlite3.Connection, text: str, limit: int = 20) -> tuple[CardHit, ...]:
    """Return cards for a name being typed: the exact name first, then names that begin so, names with a word
    that begins so, names that hold it; other spellings only when there is none of these."""
    key = name_key(text)
    if not key:
        return ()
    rows: dict[int, HitRow] = {}
    for step in (_exact, _beginning, _word_beginning, _containing):
        for row in step(connection, key, limit):
            rows.setdefault(row[0], row)
        if len(rows) >= limit:
            break
    if not rows:
        rows = {row[0]: row for row in _misspelt(connection, key, limit)}
    return tuple(CardHit(*row[1:]) for row in list(rows.values())[:limit])


def search_cards(connection: sqlite3.Connection, query: str, limit: int = 50) -> CardSearch:
    """Return cards whose name holds all words of `query`, those that complete it first."""
    words = name_key(query).split()
    if not words:
        return CardSearch((), 0, "nothing to look for")
    names = set(_intersection(connection, [group for word in words for group in _groups_inside(word)]))
    rows = [row for row in _rows(connection, sorted(names)) if _holds(row[1], words)]
    hits = {row[1]: CardHit(*row[1:]) for row in rows}
    completed = {hit.name: hit for hit in complete_names(connection, query, limit)}
    if not hits or any(_holds(name, words) for name in completed):
        hits = completed | hits
    return CardSearch(tuple(hits.values())[:limit], len(hits), f"name holds {' and '.join(words)}")


def folded_names(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the card id of every folded name of an ordinary card, full names and faces, for linking
    questions."""
    rows = connection.execute(
        "SELECT folded, card_id FROM card_name WHERE NOT extra ORDER BY kind = 'full', name_id DESC"
    )
    return dict(rows.fetchall())


# -- the steps of a completion


def _exact(connection: sqlite3.Connection, key: str, limit: int) -> list[HitRow]:
    return connection.execute(
        f"{_HIT} WHERE folded = ? ORDER BY card_name.extra, kind != 'full' LIMIT ?", (key, limit)
    ).fetchall()


def _beginning(connection: sqlite3.Connection, key: str, limit: int) -> list[HitRow]:
    found: list[HitRow] = []
    for extra in (0, 1):
        found += connection.execute(
            f"{_HIT} WHERE folded >= ? AND folded < ? AND card_name.extra = ? ORDER BY folded LIMIT ?",
            (key, key + _END, extra, limit - len(found)),
        ).fetchall()
    return found


def _word_beginning(connection: sqlite3.Connection, key: str, limit: int) -> list[HitRow]:
    padded = f" {key}"
    groups = [padded[start : start + 3] for start in range(len(padded) - 2)]
    names = _intersection(connection, groups)
    return [row for row in _rows(connection, names) if padded in f" {name_key(row[1])}"][:limit]


def _containing(connection: sqlite3.Connection, key: str, limit: int) -> list[HitRow]:
    names = _intersection(connection, _groups_inside(key))
    return [row for row in _rows(connection, names) if key in name_key(row[1])][:limit]


def _misspelt(connection: sqlite3.Connection, key: str, limit: int) -> list[HitRow]:
    shared: Counter[int] = Counter()
    for group in set(letter_groups(key)):
        shared.update(_names_with(connection, group))
    lengths = connection.execute("SELECT name_lengths FROM card_source").fetchone()[0]
    # Names much longer than what was typed share its letters by chance.
    likeliest = sorted(shared, key=lambda name: shared[name] / (len(key) + lengths[name]), reverse=True)
    near = []
    for name in likeliest[:_TYPO_CANDIDATES]:
        folded, extra = connection.execute(
            "SELECT folded, extra FROM card_name WHERE name_id = ?", (name,)
        ).fetchone()
        whole, beginning = spelling_distances(key, folded)
        edits = min(whole, beginning + 0.5)
        if edits <= max(1.5, len(key) * _MAX_EDITS_SHARE):
            near.append((edits, extra, abs(len(folded) - len(key)), name))
    return _rows(connection, [name for *_, name in sorted(near)[:limit]])


def _groups_inside(text: str) -> list[str]:
    return [text[start : start + 3] for start in range(len(text) - 2)]


def _names_with(connection: sqlite3.Connection, group: str) -> Iterable[int]:
    row = connection.execute("SELECT name_ids FROM name_letters WHERE letters = ?", (group,)).fetchone()
    return unpack_name_ids(row[0]) if row else ()


def _intersection(connection: sqlite3.Connection, groups: list[str]) -> list[int]:
    if not groups:
        return []
    lists = sorted((list(_names_with(connection, group)) for group in dict.fromkeys(groups)), key=len)
    shared = set(lists[0])
    for names in lists[1:]:
        shared.intersection_update(names)
    return sorted(shared)


def _rows(connection: sqlite3.Connection, names: list[int]) -> list[HitRow]:
    found: list[HitRow] = []
    for name in names[:400]:
        found += connection.execute(f"{_HIT} WHERE name_id = ?", (name,)).fetchall()
    return found


def _holds(name: str, words: list[str]) -> bool:
    key = name_key(name)
    return all(word in key for word in words)
