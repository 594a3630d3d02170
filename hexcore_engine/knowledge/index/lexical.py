"""Scored lists of rules from full-text search (SQLite FTS5, BM25, porter stems)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping

from hexcore_engine.knowledge.rules.records import COLUMNS

# Weight of each column when all of a rule's text counts.
ALL_TEXT: Mapping[str, float] = {
    "body": 1.0,
    "heading": 0.6,
    "parent_body": 0.8,
    "plain": 1.2,
    "said": 1.6,
    "asks": 1.4,
}
_WORD = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?|[+-]\d+/[+-]\d+", re.IGNORECASE)
STOP_WORDS = frozenset(
    """
    a about after all also am an and any are as at be because been before being but by can could did do
    does doing don down for from get gets getting go goes going got had has have having he her here hers
    him his how i if in into is it its just know let like ll lot m make makes maybe me my no not now of
    ok on one only or our out over own p please really s same say says she should so some still t than
    that the their them then there these they thing things this those though through to too two under
    until up us use ve very want was way we well were what when where which while who why will with
    would yeah yes yet you your
    """.split()  # noqa: SIM905 - a list of this length reads better as text
)


def content_words(text: str) -> list[str]:
    """Return the words of a text that say what it is about, lower-cased, each once, in order."""
    words = (word.lower().replace("’", "'") for word in _WORD.findall(text))
    return list(dict.fromkeys(word for word in words if word.split("'")[0] not in STOP_WORDS))


def match_any(words: Iterable[str]) -> str:
    """Return a full-text expression for texts that hold any of the words."""
    return " OR ".join(f'"{word}"' for word in words)


def ranked_rules(
    connection: sqlite3.Connection,
    words: list[str],
    weights: Mapping[str, float] = ALL_TEXT,
    limit: int = 250,
) -> list[tuple[str, float]]:
    """Return (number, score) of the rules that match any word, best first; scores grow with relevance."""
    if not words:
        return []
    columns = " ".join(weights)
    expression = f"{{{columns}}} : ({match_any(words)})"
    ranks = ", ".join(str(weights.get(column, 0.0)) for column in COLUMNS)
    return connection.execute(
        f"SELECT rule.number, -bm25(rule_words, {ranks}) AS score"
        " FROM release.rule_words JOIN release.rule ON rule.position = rule_words.rowid"
        " WHERE rule_words MATCH ? ORDER BY score DESC LIMIT ?",
        (expression, limit),
    ).fetchall()
