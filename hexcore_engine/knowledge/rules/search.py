"""Searching rules as a person types: by number, by words, by "exactly these words", and by section names."""

from __future__ import annotations

import difflib
import re
import sqlite3

from hexcore_engine.knowledge.index.lexical import ALL_TEXT, content_words, ranked_rules
from hexcore_engine.knowledge.rules import reader
from hexcore_engine.knowledge.rules.numbers import parse_number
from hexcore_engine.knowledge.rules.records import RuleHit, RuleRecord

_QUOTED = re.compile(r'"([^"]+)"')
# A rule whose whole text is its name ("Phasing"); below it stands all there is to say about it.
_LONGEST_NAME = 40


def search_rules(connection: sqlite3.Connection, text: str, limit: int) -> tuple[RuleHit, ...]:
    """Return hits, best first; the whole section first where the words name one."""
    number = parse_number(text)
    if number:
        return _by_number(connection, number, limit)
    quoted = _QUOTED.findall(text)
    if quoted:
        return _exactly(connection, quoted, limit)
    hits = _section_named(connection, text) + _by_words(connection, text, limit)
    unique = {hit.rule.number: hit for hit in reversed(hits)}
    ordered = [hit for hit in hits if unique.get(hit.rule.number) is hit]
    if not ordered:
        ordered = _by_nearest_words(connection, text, limit)
    return tuple(ordered[:limit])


def _by_number(connection: sqlite3.Connection, number: str, limit: int) -> tuple[RuleHit, ...]:
    rule = reader.rule_record(connection, number)
    found = [RuleHit(rule, 1.0, "this number")] if rule else []
    below = [RuleHit(child, 0.9, f"below {number}") for child in reader.children(connection, number)]
    rows = connection.execute(
        "SELECT number FROM release.rule WHERE substr(number, 1, ?) = ? AND number != ?"
        " ORDER BY position LIMIT ?",
        (len(number), number, number, limit),
    ).fetchall()
    begun = [reader.rule_record(connection, other) for (other,) in rows]
    seen = {hit.rule.number for hit in found + below}
    found += below + [
        RuleHit(other, 0.5, f"begins with {number}") for other in begun if other and other.number not in seen
    ]
    return tuple(found[:limit])


def _exactly(connection: sqlite3.Connection, phrases: list[str], limit: int) -> tuple[RuleHit, ...]:
    expression = " AND ".join(f'"{phrase}"' for phrase in phrases if phrase.strip())
    if not expression:
        return ()
    # The stems of the index would also find other forms; the text itself decides.
    rows = connection.execute(
        "SELECT rule.number FROM release.rule_words JOIN release.rule ON rule.position = rule_words.rowid"
        " WHERE rule_words MATCH ? ORDER BY bm25(rule_words) LIMIT 400",
        (f"{{body plain}} : ({expression})",),
    ).fetchall()
    hits = []
    for (number,) in rows:
        rule = reader.rule_record(connection, number)
        if rule is not None and all(_holds(rule, phrase) for phrase in phrases):
            hits.append(RuleHit(rule, 1.0, "exactly these words"))
    return tuple(hits[:limit])


def _holds(rule: RuleRecord, phrase: str) -> bool:
    wanted = " ".join(phrase.lower().split())
    return any(wanted in " ".join(text.lower().split()) for text in (rule.text, rule.plain, *rule.examples))


def _section_named(connection: sqlite3.Connection, text: str) -> list[RuleHit]:
    name = " ".join(text.split()).lower()
    rows = connection.execute(
        "SELECT number FROM release.rule WHERE lower(text) = ? AND length(text) <= ? ORDER BY position",
        (name, _LONGEST_NAME),
    ).fetchall()
    hits = []
    for (number,) in rows:
        rule = reader.rule_record(connection, number)
        below = reader.children(connection, number)
        if rule is not None:
            hits.append(RuleHit(rule, 2.0, "named so"))
            hits += [RuleHit(child, 1.9, f"belongs to {rule.text} ({number})") for child in below]
    return hits


def _by_words(connection: sqlite3.Connection, text: str, limit: int) -> list[RuleHit]:
    words = content_words(text)
    if words:
        # The last word may still be growing.
        growing = words[-1] if text and text[-1].isalnum() else None
        words = list(dict.fromkeys([*words, *(_completions(connection, growing) if growing else [])]))
    hits = []
    for number, score in ranked_rules(connection, words, ALL_TEXT, limit):
        rule = reader.rule_record(connection, number)
        if rule is not None:
            hits.append(RuleHit(rule, score, why_words(rule, words)))
    return hits


def _completions(connection: sqlite3.Connection, word: str) -> list[str]:
    if len(word) < 3:
        return []
    rows = connection.execute(
        "SELECT DISTINCT lower(text) FROM release.rule"
        " WHERE text LIKE ? || '%' AND length(text) <= ? LIMIT 5",
        (word, _LONGEST_NAME),
    ).fetchall()
    return [other for (name,) in rows for other in content_words(name)]


def _by_nearest_words(connection: sqlite3.Connection, text: str, limit: int) -> list[RuleHit]:
    names = [
        name
        for (name,) in connection.execute(
            "SELECT DISTINCT lower(text) FROM release.rule WHERE length(text) <= ?", (_LONGEST_NAME,)
        )
    ]
    vocabulary = {word for name in names for word in content_words(name)}
    corrected = []
    for word in content_words(text):
        corrected += difflib.get_close_matches(word, vocabulary, n=1, cutoff=0.75)
    if not corrected:
        return []
    hits = _section_named(connection, " ".join(corrected)) + _by_words(
        connection, " ".join(corrected) + " ", limit
    )
    reason = f"nothing has your words; read as “{' '.join(corrected)}”"
    unique = {hit.rule.number: RuleHit(hit.rule, hit.score, reason) for hit in reversed(hits)}
    return list(reversed(unique.values()))


def why_words(rule: RuleRecord, words: list[str]) -> str:
    """Say which of the words a rule holds, in its text or in ours."""
    official = f" {rule.text} {rule.heading} ".lower()
    ours = rule.plain.lower()
    shared = [word for word in words if word[:5] in official or word[:5] in ours]
    if shared:
        return f"your words match: {', '.join(shared[:4])}"
    return "players say it this way"
