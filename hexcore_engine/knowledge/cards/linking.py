"""Cards behind the names in a question: whole names, and the short ones players use for them.

A short name is what stands before the comma of a legend's name, or a word that only one card's name holds.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from hexcore_engine.knowledge.cards.names import face_names, name_key
from hexcore_engine.knowledge.cards.records import CardRecord

# More cards of one legend than this, and its name alone says too little.
_MOST_CARDS_OF_A_LEGEND = 12
_SHORTEST_UNIQUE_WORD = 5
_NAMES_OF_A_USUAL_WORD = 4
_decoder = msgspec.msgpack.Decoder(CardRecord)


@dataclass(frozen=True)
class NameIndex:
    """All ordinary cards' names in memory, by `name_key`.

    `legends` holds what stands before a comma, `words` the words that one card's name alone holds;
    `usual_words` stand in so many names that they are ordinary words. `longest` tells for the first word of a
    name how many words as people write them (hyphens join) the longest such name may have.
    """

    whole: dict[str, int] = field(default_factory=dict)
    legends: dict[str, tuple[int, ...]] = field(default_factory=dict)
    words: dict[str, int] = field(default_factory=dict)
    usual_words: frozenset[str] = frozenset()
    longest: dict[str, int] = field(default_factory=dict)

    def holds(self, key: str) -> bool:
        """Whether some card is called like this, in full or in short."""
        return key in self.whole or key in self.legends or key in self.words


_index_decoder = msgspec.msgpack.Decoder(NameIndex)


def load_name_index(connection: sqlite3.Connection) -> NameIndex:
    """Read the index that was built with the cards file: building it costs seconds a question can't wait."""
    (packed,) = connection.execute("SELECT packed FROM name_index").fetchone()
    return _index_decoder.decode(packed)


def write_name_index(connection: sqlite3.Connection) -> None:
    """Build the index of a cards file that holds its names already."""
    connection.execute("CREATE TABLE name_index (packed BLOB NOT NULL)")
    packed = msgspec.msgpack.encode(build_name_index(connection))
    connection.execute("INSERT INTO name_index VALUES (?)", (packed,))


def build_name_index(connection: sqlite3.Connection) -> NameIndex:
    """Gather the names of a cards file, whole and short."""
    rows = connection.execute(
        "SELECT folded, card_id FROM card_name WHERE NOT extra ORDER BY kind = 'full', name_id DESC"
    ).fetchall()
    whole: dict[str, int] = dict(rows)
    holders: defaultdict[str, set[int]] = defaultdict(set)
    for key, card_id in rows:
        for word in key.split():
            holders[word].add(card_id)
    legends = _legends(connection, whole)
    words = {
        word: next(iter(ids))
        for word, ids in holders.items()
        if len(ids) == 1 and len(word) >= _SHORTEST_UNIQUE_WORD and word not in whole
    }
    longest: dict[str, int] = {}
    for key in (*whole, *legends, *words):
        first = key.split(" ", 1)[0]
        longest[first] = max(longest.get(first, 0), key.count(" ") + 1)
    return NameIndex(
        whole=whole,
        legends=legends,
        words=words,
        longest=longest,
        usual_words=frozenset(word for word, ids in holders.items() if len(ids) >= _NAMES_OF_A_USUAL_WORD),
    )


def _legends(connection: sqlite3.Connection, whole: dict[str, int]) -> dict[str, tuple[int, ...]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    names = connection.execute("SELECT name, card_id FROM card WHERE NOT extra AND instr(name, ',')")
    for name, card_id in names.fetchall():
        for face in face_names(name):
            if "," in face:
                found[name_key(face.split(",")[0])].append(card_id)
    for key, card_ids in found.items():
        if key in whole:
            card_ids.append(whole[key])
    return {
        key: tuple(dict.fromkeys(ids)) for key, ids in found.items() if len(ids) <= _MOST_CARDS_OF_A_LEGEND
    }


def cards_by_id(connection: sqlite3.Connection, card_ids: Iterable[int]) -> list[CardRecord]:
    """Return cards in the order of their ids given."""
    found = []
    for card_id in card_ids:
        row = connection.execute("SELECT record FROM card WHERE card_id = ?", (card_id,)).fetchone()
        if row is not None:
            found.append(_decoder.decode(row[0]))
    return found
