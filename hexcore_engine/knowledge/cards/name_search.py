"""Finding names by what was typed so far, over the letter groups of the cards file.

Name numbers stand in list order (see schema.py), so the smaller of two matches is the one shown first.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from heapq import nsmallest

from hexcore_engine.knowledge.cards.names import letter_groups, spelling_distances
from hexcore_engine.knowledge.cards.schema import marks, unpack_name_ids

_CHUNK = 200
# Names whose spelling is compared letter by letter; the others share too few groups to be near.
_MOST_COMPARED = 60
# Groups looked up for a misspelt name; the rarest say most.
_MOST_GROUPS = 24
_SHORT_GROUPS = 8
_FEW_EDITS = 2
_AFTER_EVERYTHING = "\U0010ffff"

_Near = tuple[float, int, bool, int]  # edits, place among the candidates, extra, card_id


class NameSearch:
    """One typed text against all names. `key` is the `name_key` of what was typed.

    Extras are left out unless nothing else matches, or the name is exactly theirs.
    """

    def __init__(self, connection: sqlite3.Connection, key: str) -> None:
        self._connection = connection
        self._key = key
        self._words = key.split()
        self.by_spelling = False

    def complete(self, limit: int) -> list[int]:
        """Card numbers, best first, each once; sets `by_spelling` when only near spellings were found."""
        if not self._key or limit < 1:
            return []
        cards: dict[int, None] = {}
        for card_id in self._ranked():
            cards[card_id] = None
            if len(cards) == limit:
                break
        if not cards:
            cards = dict.fromkeys(self._by_spelling()[:limit])
            self.by_spelling = bool(cards)
        return list(cards)

    def _ranked(self) -> Iterator[int]:
        yield from self._exact()
        found = False
        for extra in (0, 1):
            for card_id in self._prefixed(extra):
                found = True
                yield card_id
            for card_id in self._holding(extra):
                found = True
                yield card_id
            if found:
                return

    def _exact(self) -> Iterator[int]:
        rows = self._connection.execute(
            "SELECT card_id FROM card_name WHERE folded = ? ORDER BY extra, kind = 'face', card_id",
            (self._key,),
        )
        return (card_id for (card_id,) in rows)

    def _prefixed(self, extra: int) -> Iterator[int]:
        rows = self._connection.execute(
            "SELECT card_id FROM card_name WHERE extra = ? AND folded >= ? AND folded < ?"
            " ORDER BY folded, name_id",
            (extra, self._key, self._key + _AFTER_EVERYTHING),
        )
        return (card_id for (card_id,) in rows)

    def _holding(self, extra: int) -> Iterator[int]:
        """Names in which every word typed begins a word; then those that hold them anywhere, short ones
        first."""
        beginning = self._numbers_with(self._beginning_groups(), extra)
        yield from (card_id for card_id, key in self._keys(sorted(beginning)) if self._begins_words(key))
        inside = sorted(self._numbers_with(self._inner_groups(), extra) - beginning)
        matches = [(len(key), card_id) for card_id, key in self._keys(inside) if self._holds_words(key)]
        yield from (card_id for _, card_id in sorted(matches))

    def _beginning_groups(self) -> list[str]:
        return [group for word in self._words for group in letter_groups(word)[: max(1, len(word) - 1)]]

    def _inner_groups(self) -> list[str]:
        """Groups every name holding the words has; none for words of one or two letters."""
        return [group for word in self._words for group in letter_groups(word)[1:-1]]

    def _begins_words(self, key: str) -> bool:
        padded = f" {key}"
        return all(f" {word}" in padded for word in self._words)

    def _holds_words(self, key: str) -> bool:
        return all(word in key for word in self._words)

    def _numbers_with(self, groups: list[str], extra: int) -> set[int]:
        """Numbers of the names that have all of `groups`; empty when there are no groups."""
        lists = self._lists(groups)
        if not groups or len(lists) < len(set(groups)):
            return set()
        shortest, *others = sorted(lists.values(), key=len)
        numbers = set(shortest).intersection(*others)
        return {number for number in numbers if (number >= self._first_extra) == bool(extra)}

    def _lists(self, groups: Iterable[str]) -> dict[str, array[int]]:
        wanted = list(dict.fromkeys(groups))
        rows = self._connection.execute(
            f"SELECT letters, name_ids FROM name_letters WHERE letters IN ({', '.join('?' * len(wanted))})",
            wanted,
        )
        return {letters: unpack_name_ids(packed) for letters, packed in rows}

    def _keys(self, numbers: list[int]) -> Iterator[tuple[int, str]]:
        for start in range(0, len(numbers), _CHUNK):
            part = numbers[start : start + _CHUNK]
            yield from self._connection.execute(
                f"SELECT card_id, folded FROM card_name WHERE name_id IN {marks(len(part))} ORDER BY name_id",
                part,
            )

    @cached_property
    def _source(self) -> tuple[int, bytes]:
        row: tuple[int, bytes] = self._connection.execute(
            "SELECT first_extra_name_id, name_lengths FROM card_source"
        ).fetchone()
        return row

    @property
    def _first_extra(self) -> int:
        return self._source[0]

    def _by_spelling(self) -> list[int]:
        """Cards whose name, or the beginning of it, is spelt nearly as typed; the nearest first."""
        candidates = self._candidates()
        order = {number: place for place, number in enumerate(candidates)}
        keys = list(self._candidate_keys(candidates))
        near: list[_Near] = []
        most_edits = 1 + len(self._key) // 5
        # Comparing for few edits costs a third, and mostly finds what was meant.
        for most in dict.fromkeys((min(_FEW_EDITS, most_edits), most_edits)):
            near = sorted(self._near(keys, order, most))
            ordinary = [card_id for *_, extra, card_id in near if not extra]
            if ordinary:
                return list(dict.fromkeys(ordinary))
        return list(dict.fromkeys(card_id for *_, card_id in near))

    def _near(
        self, keys: list[tuple[int, int, str]], order: dict[int, int], most_edits: int
    ) -> Iterator[_Near]:
        for number, card_id, key in keys:
            whole, beginning = spelling_distances(self._key, key, most_edits)
            if min(whole, beginning) <= most_edits:
                edits = min(whole, beginning + 0.5)
                yield edits, order[number], number >= self._first_extra, card_id

    def _candidates(self) -> list[int]:
        """Names that share most letter groups with what was typed, measured against their length."""
        groups = letter_groups(self._key)
        lists = sorted(self._lists(groups).values(), key=len)[:_MOST_GROUPS]
        shared: Counter[int] = Counter()
        for numbers in lists:
            shared.update(numbers)
        lengths, typed = self._source[1], len(groups)
        # Of a long text the right name shares many groups; of a short one perhaps a single one.
        pool = shared.items() if typed <= _SHORT_GROUPS else shared.most_common(5 * _MOST_COMPARED)
        nearest = nsmallest(
            _MOST_COMPARED, ((-shares / (typed + lengths[number]), number) for number, shares in pool)
        )
        return [number for _, number in nearest]

    def _candidate_keys(self, numbers: list[int]) -> Iterator[tuple[int, int, str]]:
        return iter(
            self._connection.execute(
                f"SELECT name_id, card_id, folded FROM card_name WHERE name_id IN {marks(len(numbers))}",
                numbers,
            )
        )
