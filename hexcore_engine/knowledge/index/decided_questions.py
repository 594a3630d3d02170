"""Questions whose deciding rules are known, as units of those rules: a new question is compared with them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from hexcore_engine.knowledge.index.postings import FIELDS, Floats, Ints, Postings, build_postings
from hexcore_engine.knowledge.index.rule_table import RuleTable

_FIELD = "asks"
_MOST_TERMS = 400


@dataclass(frozen=True)
class DecidedQuestion:
    """The stems of a question in order, and the numbers of the rules that decide it."""

    terms: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True)
class DecidedQuestions:
    """Decided questions, indexed. `owner` tells which question each unit is."""

    postings: Postings
    owner: Ints

    def scores(self, terms: Sequence[str], forgotten: Collection[int] = ()) -> tuple[Floats, Floats]:
        """Score rules by their nearest decided question, and by all of theirs together; the questions
        `forgotten` count as never asked."""
        postings = self.postings
        known = postings.known(terms, _MOST_TERMS)
        without = np.flatnonzero(np.isin(self.owner, list(forgotten))).tolist() if forgotten else ()
        hits, weights = postings.find(known, without), postings.weights(known)
        place = FIELDS.index(_FIELD)
        nearest = postings.best_by_slot(postings.unit_scores(hits, weights))[place]
        return nearest, postings.field_scores(hits, weights)[place]


def index_decided(decided: Sequence[DecidedQuestion], table: RuleTable) -> DecidedQuestions:
    """Index decided questions; rules this release does not have are left out."""
    units = sorted(
        (table.position[rule], question)
        for question, known in enumerate(decided)
        for rule in known.rules
        if rule in table.position
    )
    rows = [(place, _FIELD, decided[question].terms) for place, question in units]
    owner = np.array([question for _, question in units], dtype=np.int64)
    return DecidedQuestions(build_postings(rows, table.size), owner)
