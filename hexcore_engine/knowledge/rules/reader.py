"""Reading rules from the attached release; each function is one look-up on a connection with schema
`release`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from hexcore_engine.knowledge.rules.numbers import parse_number
from hexcore_engine.knowledge.rules.records import ReleaseRecord, RuleRecord, RuleView

_RULE = "SELECT number, text, official, parent, heading, plain FROM release.rule"


def release_record(connection: sqlite3.Connection, key: str, effective: str | None) -> ReleaseRecord:
    """Return what the attached release is."""
    meta = dict(connection.execute("SELECT name, value FROM release.meta"))
    (official,) = connection.execute("SELECT COALESCE(MAX(official), 0) FROM release.rule").fetchone()
    return ReleaseRecord(key, effective, bool(official), meta["source"], int(meta["num_rules"]))


def official_texts(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the official text of every rule, none where our own words stand in."""
    return dict(connection.execute("SELECT number, text FROM release.rule WHERE official"))


def rule_record(connection: sqlite3.Connection, number: str) -> RuleRecord | None:
    """Return a rule, group or section by its bare number."""
    return rule_records(connection, (number,)).get(number)


def rule_records(connection: sqlite3.Connection, numbers: Sequence[str]) -> dict[str, RuleRecord]:
    """Return those of the rules, groups and sections that are there, by number; two queries for all."""
    among = f"WHERE number IN ({_marks(numbers)})"
    examples: dict[str, tuple[str, ...]] = {}
    for number, text in connection.execute(
        f"SELECT number, text FROM release.example {among} ORDER BY number, place", (*numbers,)
    ):
        examples[number] = (*examples.get(number, ()), text)
    rows = connection.execute(f"{_RULE} {among}", (*numbers,)).fetchall()
    return {row[0]: _record(row, examples.get(row[0], ())) for row in rows}


def rule_view(connection: sqlite3.Connection, typed: str, release: ReleaseRecord) -> RuleView | None:
    """Return a rule with what stands around it; `typed` as a person writes it."""
    number = parse_number(typed)
    rule = rule_record(connection, number) if number else None
    if rule is None:
        return None
    ancestors = []
    above = rule.parent
    while above is not None and (parent := rule_record(connection, above)) is not None:
        ancestors.append(parent)
        above = parent.parent
    return RuleView(
        rule=rule,
        ancestors=tuple(reversed(ancestors)),
        siblings=children(connection, rule.parent),
        children=children(connection, rule.number),
        previous=_neighbour(connection, rule.number, "<", "DESC"),
        next=_neighbour(connection, rule.number, ">", "ASC"),
        points_to=_references(connection, "target", "source", rule.number),
        pointed_from=_references(connection, "source", "target", rule.number),
        release=release,
    )


def children(connection: sqlite3.Connection, number: str | None) -> tuple[RuleRecord, ...]:
    """Return what stands directly below a number, in document order; the sections for None."""
    rows = connection.execute(f"{_RULE} WHERE parent IS ? ORDER BY position", (number,)).fetchall()
    return tuple(_record(row) for row in rows)


def with_all_below(connection: sqlite3.Connection, number: str) -> list[RuleRecord]:
    """Return a rule and everything below it, in document order."""
    below = f"{number}." if "." not in number else number
    rows = connection.execute(
        f"{_RULE} WHERE number = ? OR substr(number, 1, ?) = ? ORDER BY position", (number, len(below), below)
    ).fetchall()
    # "702.1" begins "702.19" too.
    return [_record(row) for row in rows if row[0] == number or not row[0][len(number)].isdigit()]


def all_rules(connection: sqlite3.Connection) -> list[RuleRecord]:
    """Return every rule with its examples, in document order."""
    examples: dict[str, list[str]] = {}
    for number, text in connection.execute("SELECT number, text FROM release.example ORDER BY place"):
        examples.setdefault(number, []).append(text)
    rows = connection.execute(f"{_RULE} ORDER BY position").fetchall()
    return [_record(row, tuple(examples.get(row[0], ()))) for row in rows]


def exists(connection: sqlite3.Connection, number: str) -> bool:
    """Whether a rule of that number stands in the release."""
    return connection.execute("SELECT 1 FROM release.rule WHERE number = ?", (number,)).fetchone() is not None


def players_phrases(connection: sqlite3.Connection, numbers: Sequence[str]) -> dict[str, list[str]]:
    """Return what players say for each of the rules, by number."""
    rows = connection.execute(
        "SELECT number, said FROM release.rule JOIN release.rule_words ON rule_words.rowid = rule.position"
        f" WHERE number IN ({_marks(numbers)})",
        (*numbers,),
    )
    return {number: said.split("\n") if said else [] for number, said in rows}


def common_words(connection: sqlite3.Connection) -> frozenset[str]:
    """Words that rules and players write in lower case."""
    return frozenset(word for (word,) in connection.execute("SELECT word FROM release.common_word"))


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _record(row: tuple[Any, ...], examples: tuple[str, ...] = ()) -> RuleRecord:
    number, text, official, parent, heading, plain = row
    return RuleRecord(number, text, bool(official), parent, heading, examples, plain)


def _neighbour(connection: sqlite3.Connection, number: str, relation: str, direction: str) -> str | None:
    row = connection.execute(
        f"SELECT number FROM release.rule WHERE position {relation}"
        f" (SELECT position FROM release.rule WHERE number = ?) ORDER BY position {direction} LIMIT 1",
        (number,),
    ).fetchone()
    return row[0] if row else None


def _references(connection: sqlite3.Connection, wanted: str, given: str, number: str) -> tuple[str, ...]:
    rows = connection.execute(
        f"SELECT r.{wanted} FROM release.reference r JOIN release.rule ON rule.number = r.{wanted}"
        f" WHERE r.{given} = ? ORDER BY rule.position",
        (number,),
    ).fetchall()
    return tuple(found for (found,) in rows)
