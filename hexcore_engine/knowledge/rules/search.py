"""Searching rules as a person types: by number, by words, by "exactly these words", and by section names."""

from __future__ import annotations

import re
import sqlite3
from functools import lru_cache

from msgspec.structs import replace

from hexcore_engine.knowledge.index.lexical import ALL_TEXT, content_words, ranked_rules
from hexcore_engine.knowledge.rules import reader
from hexcore_engine.knowledge.rules.marks import mark_phrases, mark_words, stem, why_words
from hexcore_engine.knowledge.rules.numbers import parse_number, sort_key
from hexcore_engine.knowledge.rules.records import RuleHit, RuleRecord
from hexcore_engine.knowledge.rules.spelling import correct_words

# What the full-text index takes for a word.
_INDEXED = re.compile(r"[^\W_]+")
_QUOTED = re.compile(r'["“”]([^"“”]*)["“”]?')
# A rule whose whole text is its name ("Phasing"); below it stands all there is to say about it.
_LONGEST_NAME = 40
# Words people put around the name of what they look for.
_AROUND_NAMES = frozenset(
    ("rule", "rules", "work", "works", "mean", "means", "ability", "abilities", "keyword", "section")
)


def search_rules(connection: sqlite3.Connection, text: str, limit: int) -> tuple[RuleHit, ...]:
    """Return hits, best first; the whole section first where the words name one."""
    number = parse_number(text)
    if number:
        return _by_number(connection, number, limit)
    phrases = [" ".join(phrase.split()) for phrase in _QUOTED.findall(text) if phrase.strip()]
    if phrases:
        return _exactly(connection, phrases, content_words(_QUOTED.sub(" ", text)), limit)
    if not text.strip('"“” '):
        return ()
    hits = _once_each(_section_named(connection, text) + _by_words(connection, text, limit))
    return tuple(hits or _by_nearest_words(connection, text, limit))[:limit]


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


def _exactly(
    connection: sqlite3.Connection, phrases: list[str], words: list[str], limit: int
) -> tuple[RuleHit, ...]:
    """Rules that hold all phrases as they stand; those that hold more of the other words come first."""
    hits = []
    for rule in _candidates(connection, phrases):
        if all(mark_phrases(_read_text(rule), [phrase]) for phrase in phrases):
            shown = rule.text or rule.plain
            also = mark_words(shown, words)
            marks = tuple(sorted({*mark_phrases(shown, phrases), *also}))
            why = f"exactly these words; {why_words(rule, words)}" if also else "exactly these words"
            hits.append(RuleHit(rule, 1.0 + len({stem(shown[start:end]) for start, end in also}), why, marks))
    return tuple(sorted(hits, key=lambda hit: -hit.score)[:limit])


def _candidates(connection: sqlite3.Connection, phrases: list[str]) -> list[RuleRecord]:
    """Rules that may hold all phrases: those the index gives for their words; headings, which it lacks."""
    words = [" ".join(_INDEXED.findall(phrase)) for phrase in phrases]
    if not any(words):
        return reader.all_rules(connection)
    expression = " AND ".join(f'"{phrase}"' for phrase in words if phrase)
    rows = connection.execute(
        "SELECT number FROM release.rule WHERE instr(number, '.') = 0"
        " UNION SELECT rule.number FROM release.rule_words"
        " JOIN release.rule ON rule.position = rule_words.rowid WHERE rule_words MATCH ?",
        (f"{{body plain}} : ({expression})",),
    ).fetchall()
    found = (reader.rule_record(connection, number) for (number,) in rows)
    return sorted((rule for rule in found if rule), key=lambda rule: sort_key(rule.number))


def _read_text(rule: RuleRecord) -> str:
    return "\n".join((rule.text, rule.plain, *rule.examples))


def _section_named(connection: sqlite3.Connection, text: str) -> list[RuleHit]:
    wanted = _name_key(text)
    rows = connection.execute(
        "SELECT number, text FROM release.rule WHERE length(text) BETWEEN 1 AND ? ORDER BY position",
        (_LONGEST_NAME,),
    ).fetchall()
    hits = []
    for number, name in rows:
        if wanted and _name_key(name) == wanted and not name.endswith("."):
            hits += _section(connection, number, name)
    return hits


def _section(connection: sqlite3.Connection, number: str, name: str) -> list[RuleHit]:
    words = content_words(name)
    hits = []
    for rule in reader.with_all_below(connection, number):
        why = "named so" if rule.number == number else f"belongs to {name} ({number})"
        marks = mark_words(rule.text or rule.plain, words)
        hits.append(RuleHit(rule, 2.0 if rule.number == number else 1.9, why, marks, of_section=True))
    return hits


@lru_cache(maxsize=4096)
def _name_key(text: str) -> frozenset[str]:
    words = content_words(text)
    return frozenset(stem(word) for word in [word for word in words if word not in _AROUND_NAMES] or words)


def _by_words(connection: sqlite3.Connection, text: str, limit: int) -> list[RuleHit]:
    words = content_words(text)
    if words:
        # The last word may still be growing.
        growing = words[-1] if text and text[-1].isalnum() else None
        words = list(dict.fromkeys([*words, *(_completions(connection, growing) if growing else [])]))
    return _ranked(connection, words, limit)


def _ranked(connection: sqlite3.Connection, words: list[str], limit: int) -> list[RuleHit]:
    hits = []
    for number, score in ranked_rules(connection, words, ALL_TEXT, limit):
        rule = reader.rule_record(connection, number)
        if rule is not None:
            marks = mark_words(rule.text or rule.plain, words)
            hits.append(RuleHit(rule, score, why_words(rule, words), marks))
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
    """Only asked when nothing has the words as they were typed."""
    corrected = " ".join(correct_words(connection, content_words(text)))
    if not corrected:
        return []
    hits = _section_named(connection, corrected) + _ranked(connection, content_words(corrected), limit)
    reason = f"nothing has your words; read as “{corrected}”"
    return [replace(hit, why=reason) for hit in _once_each(hits)]


def _once_each(hits: list[RuleHit]) -> list[RuleHit]:
    first: dict[str, RuleHit] = {}
    for hit in hits:
        first.setdefault(hit.rule.number, hit)
    return list(first.values())
