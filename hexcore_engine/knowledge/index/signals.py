"""The scored lists of one question: each says in its own way which rules may decide it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hexcore_engine.knowledge.index.fusion import fuse
from hexcore_engine.knowledge.index.lexical import phrase_scores, scores_by_column
from hexcore_engine.knowledge.rules.records import COLUMNS

Scores = Mapping[int, float]

# How much each list counts in the fusion, and how far down it is read.
_FUSED_LISTS: Mapping[str, tuple[float, int]] = {
    "all": (1.0, 250),
    "oracle_all": (0.9, 250),
    "ours": (0.9, 120),
    "phrase": (0.9, 120),
    "vectors": (1.0, 100),
    "pattern": (0.6, 80),
    "keyword": (0.6, 80),
    "glossary": (0.3, 80),
}
_OUR_WORDS: Mapping[str, float] = {"plain": 1.0, "said": 1.6, "asks": 1.2}
_ROWS_FOR_WORDS = 400
_ROWS_WITH_ORACLE = 250
_PHRASES = 300


@dataclass(frozen=True)
class Signals:
    """Scores of one question by list, each by rule position; greater is better. `fused` orders them all."""

    lists: Mapping[str, Scores]
    fused: Scores
    num_cards: int
    num_words: int


def lexical_lists(
    connection: sqlite3.Connection, words: list[str], with_oracle: list[str]
) -> dict[str, dict[int, float]]:
    """Search for a question's words, and for them with the named cards' texts (empty where none is named)."""
    lists: dict[str, dict[int, float]] = {"all": {}, "ours": {}, **{column: {} for column in COLUMNS}}
    for position, score, *by_column in scores_by_column(connection, words, _ROWS_FOR_WORDS):
        lists["all"][int(position)] = score
        for column, part in zip(COLUMNS, by_column, strict=True):
            if part > 0:
                lists[column][int(position)] = part
    lists["ours"] = _our_words(lists)
    lists["phrase"] = phrase_scores(connection, words, _PHRASES)
    lists |= {"oracle_all": {}, "oracle_body": {}, "oracle_plain": {}}
    if with_oracle:
        for position, score, *by_column in scores_by_column(connection, with_oracle, _ROWS_WITH_ORACLE):
            lists["oracle_all"][int(position)] = score
            lists["oracle_body"][int(position)] = by_column[COLUMNS.index("body")]
            lists["oracle_plain"][int(position)] = by_column[COLUMNS.index("plain")]
    return lists


def ranks_as_scores(numbers: Sequence[str], position: Mapping[str, int]) -> dict[int, float]:
    """Return one over its place for each rule of an ordered list."""
    scores: dict[int, float] = {}
    for place, number in enumerate(numbers, start=1):
        if number in position:
            scores.setdefault(position[number], 1 / place)
    return scores


def combine(lists: Mapping[str, Scores], num_cards: int, num_words: int) -> Signals:
    """Return the lists with their fusion."""
    ordered = [
        (weight, sorted(lists[name], key=lambda place: -lists[name][place])[:limit])
        for name, (weight, limit) in _FUSED_LISTS.items()
        if lists.get(name)
    ]
    return Signals(lists, dict(fuse(ordered)), num_cards, num_words)


def _our_words(lists: Mapping[str, Scores]) -> dict[int, float]:
    scores: dict[int, float] = {}
    for column, weight in _OUR_WORDS.items():
        for position, score in lists[column].items():
            scores[position] = scores.get(position, 0.0) + weight * score
    return scores
