"""Facts of all cards, stored a column at a time, so that a query looks at each different value once.

A column holds its different values and, for each place, the number of the value there. A card column has a
place for each card, in the order of `card_id`. A face column has the same places for the front faces, and
after them one for each further face, in the order of `further_cards`, which names their cards.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress

# Values are joined by this sign, which no cleaned text holds.
_BETWEEN = "\x1f"
_WIDTHS = ((256, "B"), (65536, "H"), (1 << 32, "I"))
COLUMN_TABLE = """CREATE TABLE card_column (
    name TEXT PRIMARY KEY,
    is_face INTEGER NOT NULL,
    value_texts TEXT NOT NULL,
    codes BLOB NOT NULL
)"""

# A set of cards: an integer with one byte a card, 1 for those in it; so `&` and `|` are as fast as memory.
CardSet = int
Predicate = Callable[[str], bool]


class ColumnBuilder:
    """Collects the values of one column."""

    def __init__(self, *, is_face: bool) -> None:
        self.is_face = is_face
        self._numbers: dict[str, int] = {}
        self._front = array("I")
        self._further = array("I")

    def add(self, values: Sequence[str]) -> None:
        """Add the values of the next card, the front's first."""
        front, *further = (self._number(value) for value in values)
        self._front.append(front)
        self._further.extend(further)

    def _number(self, value: str) -> int:
        return self._numbers.setdefault(value.replace(_BETWEEN, ""), len(self._numbers))

    def write(self, connection: sqlite3.Connection, name: str) -> None:
        """Store the column."""
        codes = array(_width(len(self._numbers)), self._front + self._further)
        connection.execute(
            "INSERT INTO card_column VALUES (?, ?, ?, ?)",
            (name, int(self.is_face), _BETWEEN.join(self._numbers), codes.tobytes()),
        )


@dataclass(frozen=True)
class Column:
    """One stored column: `codes[place]` is the number of the value there."""

    is_face: bool
    values: tuple[str, ...]
    codes: Sequence[int]


class CardColumns:
    """The columns of an open cards file, each read when it is first asked for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        (self.num_cards,) = connection.execute("SELECT num_cards FROM card_source").fetchone()
        (further, order) = connection.execute("SELECT further_cards, list_order FROM card_layout").fetchone()
        self.further_cards = array("I", further)
        self.list_order = array("I", order)
        self.every_card = int.from_bytes(b"\1" * self.num_cards, "little")
        self._columns: dict[str, Column | None] = {}

    def names(self) -> tuple[str, ...]:
        """The names of all columns there are."""
        return tuple(name for (name,) in self._connection.execute("SELECT name FROM card_column"))

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            KeyError: when the file has none.
        """
        found = self.find(name)
        if found is None:
            raise KeyError(name)
        return found

    def find(self, name: str) -> Column | None:
        """The column of that name, if there is one."""
        if name not in self._columns:
            row = self._connection.execute(
                "SELECT is_face, value_texts, codes FROM card_column WHERE name = ?", (name,)
            ).fetchone()
            self._columns[name] = None if row is None else _read(*row)
        return self._columns[name]

    def cards_where(self, name: str, predicate: Predicate, within: CardSet) -> CardSet:
        """Cards of `within` with a face for whose value `predicate` holds."""
        column = self.column(name)
        return self.cards_with_codes(column, [predicate(value) for value in column.values]) & within

    def cards_with_codes(self, column: Column, wanted: Sequence[bool]) -> CardSet:
        """Cards with a face whose value's number is `wanted`."""
        return self.card_set(bytes(map(wanted.__getitem__, column.codes)), is_face=column.is_face)

    def card_set(self, flags: bytes, *, is_face: bool) -> CardSet:
        """The set for one byte a place, 0 or 1."""
        if not is_face or not any(flags[self.num_cards :]):
            return int.from_bytes(flags[: self.num_cards], "little")
        fronts = bytearray(flags[: self.num_cards])
        for card_id in compress(self.further_cards, flags[self.num_cards :]):
            fronts[card_id] = 1
        return int.from_bytes(fronts, "little")

    def flags(self, cards: CardSet) -> bytes:
        """One byte a card, 1 for those in the set."""
        return cards.to_bytes(self.num_cards, "little")

    def face_flags(self, cards: CardSet) -> bytes:
        """One byte a face, 1 for all faces of the cards in the set."""
        fronts = self.flags(cards)
        return fronts + bytes(map(fronts.__getitem__, self.further_cards))

    def named(self, key: str) -> list[int]:
        """The numbers of the cards with that name, or a face of that name; see `name_key`."""
        rows = self._connection.execute("SELECT card_id FROM card_name WHERE folded = ?", (key,))
        return [card_id for (card_id,) in rows]

    def set_of(self, card_ids: Sequence[int]) -> CardSet:
        """The set of these cards."""
        flags = bytearray(self.num_cards)
        for card_id in card_ids:
            flags[card_id] = 1
        return int.from_bytes(flags, "little")

    def in_list_order(self, cards: CardSet) -> list[int]:
        """The numbers of the cards in the set, in the order lists show them."""
        return list(compress(self.list_order, map(self.flags(cards).__getitem__, self.list_order)))

    def count(self, cards: CardSet) -> int:
        """How many cards the set holds."""
        return self.flags(cards).count(1)


def _width(num_values: int) -> str:
    return next(code for most, code in _WIDTHS if num_values <= most)


def _read(is_face: int, value_texts: str, codes: bytes) -> Column:
    values = tuple(value_texts.split(_BETWEEN))
    return Column(bool(is_face), values, array(_width(len(values)), codes))
