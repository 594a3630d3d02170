"""Facts of all cards, stored a column at a time, so that a query reads only what it asks about.

A card column has a place for each card, in the order of `card_id`. A face column has the same places for the
front faces, and after them one for each further face, in the order of `further_cards`, which names their
cards. A coded column holds its different values and, for each place, the number of the value there; so a
query looks at each different value once. A text column holds one text a place, all in one body of bytes,
which is searched as a whole.
"""

from __future__ import annotations

import sqlite3
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

# Values are joined by this sign, which no cleaned text holds.
BETWEEN = "\x1f"
_ONE_BYTE = 256
_WIDTHS = ((_ONE_BYTE, "B"), (65536, "H"), (1 << 32, "I"))
# Of fewer cards than one in so many, each is looked at by itself.
_FEW = 8
COLUMN_TABLES = (
    """CREATE TABLE card_column (
        name TEXT PRIMARY KEY,
        is_face INTEGER NOT NULL,
        value_texts TEXT NOT NULL,
        codes BLOB NOT NULL
    )""",
    # `starts` are where the texts begin in `body`, in four bytes each.
    """CREATE TABLE card_text (
        name TEXT PRIMARY KEY,
        is_face INTEGER NOT NULL,
        body BLOB NOT NULL,
        starts BLOB NOT NULL
    )""",
    # Numbers of cards in four bytes each.
    """CREATE TABLE card_layout (
        further_cards BLOB NOT NULL,
        list_order BLOB NOT NULL
    )""",
)

# A set of cards: an integer with one byte a card, 1 for those in it; so `&` and `|` are as fast as memory.
CardSet = int
Predicate = Callable[[str], bool]


class ColumnBuilder:
    """Collects the values of one coded column."""

    def __init__(self, *, is_face: bool) -> None:
        self.is_face = is_face
        self._numbers: dict[str, int] = {}
        self._front = array("I")
        self._further = array("I")

    def add(self, values: Sequence[str]) -> None:
        """Add the values of the next card, the front's first."""
        self._front.append(self._number(values[0]))
        for value in values[1:]:
            self._further.append(self._number(value))

    def repeat(self, value: str, count: int) -> None:
        """Add the same value for so many cards of one face."""
        self._front.extend([self._number(value)] * count)

    def _number(self, value: str) -> int:
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers.setdefault(value.replace(BETWEEN, ""), len(self._numbers))
        return number

    def write(self, connection: sqlite3.Connection, name: str) -> None:
        """Store the column."""
        codes = array(_width(len(self._numbers)), self._front + self._further)
        connection.execute(
            "INSERT INTO card_column VALUES (?, ?, ?, ?)",
            (name, int(self.is_face), BETWEEN.join(self._numbers), codes.tobytes()),
        )


class TextColumnBuilder:
    """Collects the texts of one text column."""

    def __init__(self, *, is_face: bool) -> None:
        self.is_face = is_face
        self._front: list[bytes] = []
        self._further: list[bytes] = []

    def add(self, texts: Sequence[str]) -> None:
        """Add the texts of the next card, the front's first."""
        self._front.append(texts[0].replace(BETWEEN, "").encode())
        for text in texts[1:]:
            self._further.append(text.replace(BETWEEN, "").encode())

    def write(self, connection: sqlite3.Connection, name: str) -> None:
        """Store the column."""
        texts = self._front + self._further
        between = BETWEEN.encode()
        starts = array("I", [0])
        for text in texts:
            starts.append(starts[-1] + len(text) + len(between))
        body = between.join((*texts, b""))
        connection.execute(
            "INSERT INTO card_text VALUES (?, ?, ?, ?)", (name, int(self.is_face), body, starts.tobytes())
        )


@dataclass(frozen=True)
class Column:
    """A coded column: `codes[place]` is the number of the value there; bytes where there are few values."""

    is_face: bool
    values: tuple[str, ...]
    codes: Sequence[int]

    def flags(self, wanted: Sequence[bool]) -> bytes:
        """One byte a place, 1 where the value's number is `wanted`."""
        if isinstance(self.codes, bytes):
            return self.codes.translate(bytes(wanted).ljust(_ONE_BYTE, b"\0"))
        return bytes(map(wanted.__getitem__, self.codes))

    def flags_where(self, predicate: Predicate) -> bytes:
        """One byte a place, 1 where `predicate` holds for the value."""
        return self.flags([predicate(value) for value in self.values])


@dataclass(frozen=True)
class TextColumn:
    """A text column: the text of a place ends one sign before the next one starts."""

    is_face: bool
    body: bytes
    starts: Sequence[int]

    @property
    def num_places(self) -> int:
        """How many texts there are."""
        return len(self.starts) - 1

    def text(self, place: int) -> str:
        """The text of a place."""
        return self.body[self.starts[place] : self.end(place)].decode()

    def end(self, place: int) -> int:
        """Where the text of a place ends."""
        return self.starts[place + 1] - len(BETWEEN)

    def flags_holding(self, text: str) -> bytes:
        """One byte a place, 1 where its text holds `text`."""
        wanted = text.encode()
        flags = bytearray(self.num_places)
        find, starts = self.body.find, self.starts
        place = -1
        found = find(wanted) if wanted else -1
        while found >= 0:
            # Where texts hold it one after the other, the next is the right one.
            place = place + 1 if found < starts[place + 2] else bisect_right(starts, found, place + 2) - 1
            flags[place] = 1
            found = find(wanted, starts[place + 1])
        return bytes(flags)

    def flags_holding_at(self, text: str, places: Iterator[int]) -> bytes:
        """The same, looking at these places alone."""
        wanted = text.encode()
        flags = bytearray(self.num_places)
        find, starts = self.body.find, self.starts
        for place in places:
            if find(wanted, starts[place], starts[place + 1] - 1) >= 0:
                flags[place] = 1
        return bytes(flags)


class CardColumns:
    """The columns of an open cards file, each read when it is first asked for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        (self.num_cards,) = connection.execute("SELECT num_cards FROM card_source").fetchone()
        (further, order) = connection.execute("SELECT further_cards, list_order FROM card_layout").fetchone()
        self.further_cards = array("I", further)
        self.list_order = array("I", order)
        self.every_card = int.from_bytes(b"\1" * self.num_cards, "little")
        self._columns: dict[str, Column] = {}
        self._texts: dict[str, TextColumn] = {}
        self._joint: dict[tuple[str, ...], Column] = {}

    def names(self) -> tuple[str, ...]:
        """The names of all coded columns there are."""
        return tuple(name for (name,) in self._connection.execute("SELECT name FROM card_column"))

    def column(self, name: str) -> Column:
        """The coded column of that name."""
        if name not in self._columns:
            is_face, value_texts, codes = self._connection.execute(
                "SELECT is_face, value_texts, codes FROM card_column WHERE name = ?", (name,)
            ).fetchone()
            values = tuple(value_texts.split(BETWEEN))
            narrow = len(values) <= _ONE_BYTE
            numbers = codes if narrow else array(_width(len(values)), codes)
            self._columns[name] = Column(bool(is_face), values, numbers)
        return self._columns[name]

    def text(self, name: str) -> TextColumn:
        """The text column of that name."""
        if name not in self._texts:
            is_face, body, starts = self._connection.execute(
                "SELECT is_face, body, starts FROM card_text WHERE name = ?", (name,)
            ).fetchone()
            self._texts[name] = TextColumn(bool(is_face), body, array("I", starts))
        return self._texts[name]

    def joint(self, names: tuple[str, ...]) -> Column:
        """A face column whose values are those of several coded columns, joined by `BETWEEN`."""
        if names not in self._joint:
            read = [self.column(name) for name in names]
            numbers: dict[tuple[int, ...], int] = {}
            pairs = zip(*(self.face_codes(column) for column in read), strict=True)
            codes = [numbers.setdefault(pair, len(numbers)) for pair in pairs]
            values = tuple(
                BETWEEN.join(column.values[code] for column, code in zip(read, pair, strict=True))
                for pair in numbers
            )
            narrow = len(values) <= _ONE_BYTE
            self._joint[names] = Column(True, values, bytes(codes) if narrow else codes)
        return self._joint[names]

    def face_codes(self, column: Column) -> Sequence[int]:
        """The codes of a column, one for each face."""
        if column.is_face:
            return column.codes
        return [*column.codes, *(column.codes[card_id] for card_id in self.further_cards)]

    def cards_where(self, name: str, predicate: Predicate) -> CardSet:
        """Cards with a face for whose value in a coded column `predicate` holds."""
        column = self.column(name)
        return self.card_set(column.flags_where(predicate), is_face=column.is_face)

    def cards_holding(self, name: str, text: str, within: CardSet) -> CardSet:
        """Cards of `within` with a face whose text in a text column holds `text`."""
        column = self.text(name)
        if _FEW * self.count(within) < self.num_cards:
            flags = column.flags_holding_at(text, self.places(within, is_face=column.is_face))
        else:
            flags = column.flags_holding(text)
        return self.card_set(flags, is_face=column.is_face) & within

    def card_set(self, flags: bytes, *, is_face: bool) -> CardSet:
        """The set for one byte a place, 0 or 1."""
        if not is_face or flags.find(1, self.num_cards) < 0:
            return int.from_bytes(flags[: self.num_cards], "little")
        fronts = bytearray(flags[: self.num_cards])
        for card_id in compress(self.further_cards, flags[self.num_cards :]):
            fronts[card_id] = 1
        return int.from_bytes(fronts, "little")

    def places(self, cards: CardSet, *, is_face: bool) -> Iterator[int]:
        """The places of these cards in a column."""
        fronts = self.flags(cards)
        yield from _set_bytes(fronts)
        if is_face:
            further = bytes(map(fronts.__getitem__, self.further_cards))
            yield from (self.num_cards + place for place in _set_bytes(further))

    def flags(self, cards: CardSet) -> bytes:
        """One byte a card, 1 for those in the set."""
        return cards.to_bytes(self.num_cards, "little")

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
        flags = self.flags(cards)
        if _FEW * flags.count(1) < self.num_cards:
            return sorted(_set_bytes(flags), key=self._ranks.__getitem__)
        return list(compress(self.list_order, map(flags.__getitem__, self.list_order)))

    @cached_property
    def _ranks(self) -> array[int]:
        ranks = array("I", bytes(4 * self.num_cards))
        for rank, card_id in enumerate(self.list_order):
            ranks[card_id] = rank
        return ranks

    def count(self, cards: CardSet) -> int:
        """How many cards the set holds."""
        return self.flags(cards).count(1)


def _set_bytes(flags: bytes) -> Iterator[int]:
    """Where the ones are."""
    place = flags.find(1)
    while place >= 0:
        yield place
        place = flags.find(1, place + 1)


def _width(num_values: int) -> str:
    return next(code for most, code in _WIDTHS if num_values <= most)
