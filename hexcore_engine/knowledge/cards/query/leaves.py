"""A compiled term: how much it costs to look for, how it reads, and how its cards are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import compress

from hexcore_engine.knowledge.cards.columns import CardColumns, CardSet, Column, Predicate
from hexcore_engine.knowledge.cards.query.regex_search import RegexBudget

CHEAP, TEXT, REGEX = 0, 1, 2
# With fewer cards left than one in so many, only their texts are looked at.
_FEW = 2


@dataclass
class Run:
    """One run of a query: the cards, the time left for expressions, and cards it ran out for."""

    columns: CardColumns
    regex: RegexBudget = field(default_factory=RegexBudget)
    undecided: CardSet = 0


Find = Callable[[Run, CardSet], CardSet]


@dataclass(frozen=True)
class Leaf:
    """A term ready to run. `find` gets the cards that still matter and returns those of them that match.

    `reading` is the term as it was understood; `reveals_extras` when it asks for a kind of extra.
    """

    reading: str
    find: Find
    cost: int = CHEAP
    reveals_extras: bool = False
    notes: tuple[str, ...] = ()


def leaf_where(reading: str, column: str, predicate: Predicate, cost: int = CHEAP) -> Leaf:
    """A leaf that looks at the values of one column."""

    def find(run: Run, within: CardSet) -> CardSet:
        columns = run.columns
        if cost != CHEAP and _FEW * columns.count(within) < columns.num_cards:
            return _find_among(columns, columns.column(column), predicate, within)
        return columns.cards_where(column, predicate, within)

    return Leaf(reading, find, cost)


def _find_among(columns: CardColumns, column: Column, predicate: Predicate, within: CardSet) -> CardSet:
    """Look at the values of few cards only."""
    flags = columns.face_flags(within) if column.is_face else columns.flags(within)
    found = bytearray(len(flags))
    values, codes = column.values, column.codes
    for place in compress(range(len(flags)), flags):
        if predicate(values[codes[place]]):
            found[place] = 1
    return columns.card_set(bytes(found), is_face=column.is_face)


def leaf_over(reading: str, names: Sequence[str], predicate: Callable[..., bool]) -> Leaf:
    """A leaf that looks at the values of several columns of each face together."""

    def find(run: Run, within: CardSet) -> CardSet:
        columns = run.columns
        read = [columns.column(name) for name in names]
        codes = list(zip(*(_face_codes(columns, column) for column in read), strict=True))
        verdicts = {
            numbers: predicate(*(column.values[code] for column, code in zip(read, numbers, strict=True)))
            for numbers in set(codes)
        }
        return columns.card_set(bytes(map(verdicts.__getitem__, codes)), is_face=True) & within

    return Leaf(reading, find)


def leaf_of_both(reading: str, first: tuple[str, Predicate], second: tuple[str, Predicate]) -> Leaf:
    """A leaf that looks for faces of which two things hold."""

    def find(run: Run, within: CardSet) -> CardSet:
        one, other = (_face_flags(run.columns, *condition) for condition in (first, second))
        both = int.from_bytes(one, "little") & int.from_bytes(other, "little")
        return run.columns.card_set(both.to_bytes(len(one), "little"), is_face=True) & within

    return Leaf(reading, find)


def _face_flags(columns: CardColumns, name: str, predicate: Predicate) -> bytes:
    column = columns.column(name)
    verdicts = [predicate(value) for value in column.values]
    return bytes(map(verdicts.__getitem__, _face_codes(columns, column)))


def _face_codes(columns: CardColumns, column: Column) -> Sequence[int]:
    if column.is_face:
        return column.codes
    return [*column.codes, *(column.codes[card_id] for card_id in columns.further_cards)]
