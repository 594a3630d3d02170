"""Which words stand in which texts of a release, as arrays: one pass scores every field of every rule.

A *unit* is one text of one rule: its body, one example, one phrase or question of players. SQLite's full-text
table gives one score a pass; the ranker needs a score by field and by unit, so it reads this index. It is
built with the release and stored in its file.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.knowledge.index.tokens import is_pair, pairs

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
# Position of its rule, its field, its terms.
Unit = tuple[int, str, Sequence[str]]

FIELDS = ("body", "example", "heading", "parent_body", "plain", "said", "asks")
_SATURATION = 1.2
_LENGTH_SHARE = 0.4
_PAIR_SHARE = 0.5
_DERIVED = ("rarity", "term_weight", "unit_weight", "slot_length", "unit_norm")
# Little-endian forms of the arrays in the file.
_STORED = {
    "starts": "<i4", "units": "<i4", "counts": "<u2", "unit_rule": "<i4", "unit_field": "<u1",
    "unit_length": "<f4", **dict.fromkeys(_DERIVED, "<f4"),
}  # fmt: skip


@dataclass(frozen=True)
class Hits:
    """Where the terms of one text stand: parallel arrays, by term and then by unit. `term` counts the terms
    asked for."""

    term: Ints
    unit: Ints
    count: Floats


@dataclass(frozen=True)
class Postings:
    """The index. Units are ordered by field, then by rule; `starts[t]:starts[t + 1]` are the postings of
    term t."""

    terms: tuple[str, ...]
    starts: Ints
    units: Ints
    counts: Floats
    unit_rule: Ints
    unit_field: Ints
    unit_length: Floats
    num_rules: int

    @cached_property
    def number_of(self) -> dict[str, int]:
        """Terms by name."""
        return {term: number for number, term in enumerate(self.terms)}

    @cached_property
    def slot(self) -> Ints:
        """Each unit's field and rule as one number: field * num_rules + rule."""
        return self.unit_field * self.num_rules + self.unit_rule

    @cached_property
    def rarity(self) -> Floats:
        """Inverse document frequency of each term, a rule with all its fields being one document."""
        rule = self.unit_rule[self.units]
        owner = np.repeat(np.arange(len(self.terms)), np.diff(self.starts))
        # Sorted by hand: `np.unique` imports `numpy.ma`, 10 ms of the engine's first look-up (numpy 2.4).
        pairs = np.sort(owner * self.num_rules + rule)
        distinct = pairs[np.diff(pairs, prepend=-1) != 0] // self.num_rules
        frequency = np.bincount(distinct, minlength=len(self.terms))
        return np.log1p((self.num_rules - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)

    @cached_property
    def term_weight(self) -> Floats:
        """What a term asked for counts: its rarity, less for pairs, whose words count already."""
        share = np.array([_PAIR_SHARE if is_pair(term) else 1.0 for term in self.terms], dtype=np.float32)
        return np.asarray(self.rarity * share, dtype=np.float32)

    @cached_property
    def unit_weight(self) -> Floats:
        """Sum of the weights of each unit's distinct terms."""
        owner = np.repeat(np.arange(len(self.terms)), np.diff(self.starts))
        return np.bincount(self.units, self.term_weight[owner], len(self.unit_rule)).astype(np.float32)

    @cached_property
    def slot_length(self) -> Floats:
        """Length of each field of each rule over that field's mean."""
        lengths = np.bincount(self.slot, self.unit_length, len(FIELDS) * self.num_rules)
        table = lengths.reshape(len(FIELDS), self.num_rules)
        filled = np.maximum((table > 0).sum(axis=1), 1)
        mean = np.maximum(table.sum(axis=1) / filled, 1.0)
        relative: Floats = (table / mean[:, None]).ravel().astype(np.float32)
        return relative

    @cached_property
    def unit_norm(self) -> Floats:
        """Length of each unit over the mean of its field's."""
        total = np.bincount(self.unit_field, self.unit_length, len(FIELDS))
        mean = np.maximum(total / np.maximum(np.bincount(self.unit_field, minlength=len(FIELDS)), 1), 1.0)
        return (self.unit_length / mean[self.unit_field]).astype(np.float32)

    def units_of(self, field: str, rule: int) -> list[int]:
        """Return the units of a field of a rule, in their order."""
        slot = FIELDS.index(field) * self.num_rules + rule
        first, last = np.searchsorted(self.slot, [slot, slot + 1])
        return list(range(int(first), int(last)))

    def weights(self, terms: Sequence[int]) -> Floats:
        """Return the weight of each term."""
        return np.asarray(self.term_weight[np.array(terms, dtype=np.int64)], dtype=np.float32)

    def known(self, terms: Sequence[str], limit: int) -> list[int]:
        """Return the numbers of those terms and pairs of neighbours that the index has, each once."""
        distinct = dict.fromkeys([*terms, *pairs(terms)])
        return [self.number_of[term] for term in distinct if term in self.number_of][:limit]

    def find(self, terms: Sequence[int], without: Collection[int] = ()) -> Hits:
        """Return where `terms` stand, the units `without` left out."""
        spans = [np.arange(self.starts[term], self.starts[term + 1]) for term in terms]
        places = np.concatenate(spans) if spans else np.zeros(0, dtype=np.int64)
        owner = np.repeat(np.arange(len(spans)), [len(span) for span in spans])
        units, counts = self.units[places], self.counts[places]
        if without:
            kept = ~np.isin(units, list(without))
            owner, units, counts = owner[kept], units[kept], counts[kept]
        return Hits(owner, units, counts)

    def field_scores(self, hits: Hits, weights: Floats) -> Floats:
        """Return BM25 [field, rule] of all of a rule's units of a field taken as one text."""
        num_slots = len(FIELDS) * self.num_rules
        if not len(hits.term):
            return np.zeros((len(FIELDS), self.num_rules), dtype=np.float32)
        key = hits.term * num_slots + self.slot[hits.unit]
        begins = np.flatnonzero(np.diff(key, prepend=-1))
        counts = np.add.reduceat(hits.count, begins)
        slots = self.slot[hits.unit[begins]]
        gains = weights[hits.term[begins]] * _saturated(counts, self.slot_length[slots])
        scores = np.bincount(slots, gains, num_slots).astype(np.float32)
        return scores.reshape(len(FIELDS), self.num_rules)

    def unit_scores(self, hits: Hits, weights: Floats) -> Floats:
        """Return BM25 of each unit alone."""
        gains = weights[hits.term] * _saturated(hits.count, self.unit_norm[hits.unit])
        return np.bincount(hits.unit, gains, len(self.unit_rule)).astype(np.float32)

    def unit_shares(self, hits: Hits, weights: Floats) -> Floats:
        """Return which share of each unit's weight the text asked for holds, 0 to 1."""
        held = np.bincount(hits.unit, weights[hits.term], len(self.unit_rule))
        return (held / np.maximum(self.unit_weight, 1e-6)).astype(np.float32)

    def best_by_slot(self, values: Floats) -> Floats:
        """Return the best unit of each field of each rule [field, rule]."""
        best = np.zeros(len(FIELDS) * self.num_rules, dtype=np.float32)
        begins = np.flatnonzero(np.diff(self.slot, prepend=-1))
        if len(begins):
            best[self.slot[begins]] = np.maximum.reduceat(values, begins)
        return best.reshape(len(FIELDS), -1)


def _saturated(counts: Floats, norm: Floats) -> Floats:
    longer = 1 - _LENGTH_SHARE + _LENGTH_SHARE * norm
    return np.asarray(counts * (_SATURATION + 1) / (counts + _SATURATION * longer), dtype=np.float32)


def build_postings(units: Iterable[Unit], num_rules: int) -> Postings:
    """Index units; those of one field and rule keep their order."""
    placed = sorted(
        ((FIELDS.index(field), rule, terms) for rule, field, terms in units), key=lambda unit: unit[:2]
    )
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    flat: list[int] = []
    sizes: list[int] = []
    for _, _, terms in placed:
        row = [*terms, *pairs(terms)]
        flat.extend([numbers[term] for term in row])
        sizes.append(len(row))
    owner = np.repeat(np.arange(len(placed)), np.array(sizes, dtype=np.int64))
    keys = np.sort(np.array(flat, dtype=np.int64) * max(len(placed), 1) + owner)
    begins = np.flatnonzero(np.diff(keys, prepend=-1))
    term, unit = np.divmod(keys[begins], max(len(placed), 1))
    counts = np.diff(begins, append=len(keys))
    return Postings(
        terms=tuple(numbers),
        starts=np.searchsorted(term, np.arange(len(numbers) + 1)).astype(np.int64),
        units=unit,
        counts=counts.astype(np.float32),
        unit_rule=np.array([rule for _, rule, _ in placed], dtype=np.int64),
        unit_field=np.array([field for field, _, _ in placed], dtype=np.int64),
        unit_length=np.array([len(terms) for _, _, terms in placed], dtype=np.float32),
        num_rules=num_rules,
    )


def write_postings(connection: sqlite3.Connection, postings: Postings) -> None:
    """Store the index, and what is derived from it, in the release being built."""
    rows: list[tuple[str, bytes]] = [("terms", "\n".join(postings.terms).encode())]
    for name, kind in _STORED.items():
        rows.append((name, np.asarray(getattr(postings, name), dtype=kind).tobytes()))
    connection.executemany("INSERT INTO postings VALUES (?, ?)", rows)


def read_postings(connection: sqlite3.Connection) -> Postings:
    """Read the attached release's index."""
    stored: dict[str, bytes] = dict(connection.execute("SELECT name, data FROM release.postings"))
    (num_rules,) = connection.execute("SELECT COUNT(*) FROM release.rule").fetchone()
    terms = stored["terms"].decode()
    arrays: dict[str, Any] = {}
    for name, kind in _STORED.items():
        wide = np.float32 if kind == "<f4" or name == "counts" else np.int64
        arrays[name] = np.frombuffer(stored[name], dtype=kind).astype(wide)
    derived = {name: arrays.pop(name) for name in _DERIVED}
    postings = Postings(tuple(terms.split("\n")) if terms else (), num_rules=num_rules, **arrays)
    # A cached property's value is an entry of its instance.
    postings.__dict__.update(derived)
    return postings
