"""What points to a rule beside other rules: glossary entries, and cards that have the keyword it defines."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

from hexcore_engine.knowledge.cards.records import CardSearch
from hexcore_engine.knowledge.rules.numbers import sort_key
from hexcore_engine.knowledge.rules.records import PointsHere, RuleRecord

NUM_CARDS_SHOWN = 8
_KEYWORD_GROUPS = ("keyword abilities", "keyword actions")
_LONGEST_KEYWORD = 40
FindCards = Callable[[str, int], CardSearch]


def points_here(connection: sqlite3.Connection, rule: RuleRecord, find_cards: FindCards | None) -> PointsHere:
    """Collect it; `find_cards` answers card queries, None where no cards are loaded."""
    keyword = keyword_of(rule)
    cards = find_cards(f'kw:"{keyword}"', NUM_CARDS_SHOWN) if keyword and find_cards else None
    return PointsHere(
        terms=_terms(connection, rule.number),
        rules_below=_rules_below(connection, rule.number),
        keyword=keyword,
        num_cards=cards.total if cards else None,
        cards=tuple(hit.name for hit in cards.hits) if cards else (),
    )


def keyword_of(rule: RuleRecord) -> str:
    """The keyword a rule defines: the name that is its whole text, in the groups of keywords; "" for none."""
    name = rule.text.strip()
    in_group = rule.parent is not None and len(rule.parent) == len("702")
    is_name = 0 < len(name) <= _LONGEST_KEYWORD and not name.endswith(".") and '"' not in name
    return name if rule.heading.lower() in _KEYWORD_GROUPS and in_group and is_name else ""


def _terms(connection: sqlite3.Connection, number: str) -> tuple[str, ...]:
    rows = connection.execute(
        "SELECT term, rules FROM release.glossary WHERE official AND instr(rules, ?) > 0 ORDER BY folded",
        (f'"{number}',),
    ).fetchall()
    return tuple(
        term for term, rules in rows if any(_is_within(named, number) for named in json.loads(rules))
    )


def _rules_below(connection: sqlite3.Connection, number: str) -> tuple[str, ...]:
    """Rules outside of a rule that name one below it; of a group that would be most of the book."""
    if "." not in number:
        return ()
    rows = connection.execute(
        "SELECT DISTINCT source, target FROM release.reference WHERE target > ? AND target < ?",
        (number, f"{number}{{"),
    ).fetchall()
    sources = {
        source
        for source, target in rows
        if _is_within(target, number) and target != number and not _is_within(source, number)
    }
    return tuple(sorted(sources, key=sort_key))


def _is_within(number: str, above: str) -> bool:
    """Whether a number is another or stands below it."""
    if not number.startswith(above):
        return False
    rest = number[len(above) :]
    return not rest or (rest.isalpha() if "." in above else rest.startswith("."))
