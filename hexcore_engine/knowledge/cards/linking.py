"""Cards behind the names in a question: whole names, and the short ones players use for them.

A short name is what stands before the comma of a legend's name, or a word that only one card's name holds.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

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


def load_name_index(connection: sqlite3.Connection) -> NameIndex:
    """Read the names of a cards file."""
    names = "SELECT folded, card_id FROM card_name WHERE NOT extra AND kind {} 'full' ORDER BY name_id DESC"
    full = connection.execute(names.format("=")).fetchall()
    whole: dict[str, int] = dict(connection.execute(names.format("!=")))
    whole.update(full)
    # A full name holds its faces' words, so each word counts once a card.
    split = [(set(key.split()), card_id) for key, card_id in full]
    num_cards = Counter(chain.from_iterable(words for words, _ in split))
    legends = _legends(connection, whole, {card_id for _, card_id in full})
    words = {
        word: card_id
        for held, card_id in split
        for word in held
        if num_cards[word] == 1 and len(word) >= _SHORTEST_UNIQUE_WORD and word not in whole
    }
    return NameIndex(
        whole=whole,
        legends=legends,
        words=words,
        longest=_longest_by_first_word(chain(whole, legends, words)),
        usual_words=frozenset(word for word, cards in num_cards.items() if cards >= _NAMES_OF_A_USUAL_WORD),
    )


def _longest_by_first_word(keys: Iterable[str]) -> dict[str, int]:
    longest: dict[str, int] = {}
    for key in keys:
        first = key.split(" ", 1)[0]
        length = key.count(" ") + 1
        if length > longest.get(first, 0):
            longest[first] = length
    return longest


def _legends(
    connection: sqlite3.Connection, whole: dict[str, int], ordinary: set[int]
) -> dict[str, tuple[int, ...]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    # Name and row alone stand in the index of names: no record is read.
    names = connection.execute("SELECT card_id, name FROM card WHERE instr(name, ',')").fetchall()
    for card_id, name in sorted(entry for entry in names if entry[0] in ordinary):
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
