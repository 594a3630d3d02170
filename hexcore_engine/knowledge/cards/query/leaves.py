"""A compiled term: how much it costs to look for, how it reads, and how its cards are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hexcore_engine.knowledge.cards.columns import BETWEEN, CardColumns, CardSet, Predicate
from hexcore_engine.knowledge.cards.query.regex_search import RegexBudget

CHEAP, TEXT, REGEX = 0, 1, 2


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


def leaf_where(reading: str, column: str, predicate: Predicate) -> Leaf:
    """A leaf that looks at the values of one coded column."""
    return Leaf(reading, lambda run, within: run.columns.cards_where(column, predicate) & within)


def leaf_holding(reading: str, column: str, text: str) -> Leaf:
    """A leaf that looks for a text in one text column."""
    return Leaf(reading, lambda run, within: run.columns.cards_holding(column, text, within), TEXT)


def leaf_over(reading: str, names: tuple[str, ...], predicate: Callable[..., bool]) -> Leaf:
    """A leaf that looks at the values of several coded columns of each face together."""

    def find(run: Run, within: CardSet) -> CardSet:
        column = run.columns.joint(names)
        flags = column.flags_where(lambda joined: predicate(*joined.split(BETWEEN)))
        return run.columns.card_set(flags, is_face=True) & within

    return Leaf(reading, find)


def leaf_of_both(reading: str, first: tuple[str, Predicate], second: tuple[str, Predicate]) -> Leaf:
    """A leaf that looks for faces of which two things hold; both columns are of faces."""

    def find(run: Run, within: CardSet) -> CardSet:
        one, other = (run.columns.column(name).flags_where(predicate) for name, predicate in (first, second))
        both = int.from_bytes(one, "little") & int.from_bytes(other, "little")
        return run.columns.card_set(both.to_bytes(len(one), "little"), is_face=True) & within

    return Leaf(reading, find)
