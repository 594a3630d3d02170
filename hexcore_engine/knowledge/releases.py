"""Look-ups over several releases: what changed between two, and what a number meant in an older one.

Opens each release by itself, for as long as it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection

from hexcore_engine.errors import KnowledgeOutdatedError
from hexcore_engine.knowledge.rules import reader as rules
from hexcore_engine.knowledge.rules.changes import ReleaseChanges, RuleTexts, compare, read_texts
from hexcore_engine.knowledge.rules.moves import RuleMove, find_move, is_another_rule
from hexcore_engine.knowledge.store.reader import KnowledgeReader


def release_changes(folder: Path, old: str, new: str) -> ReleaseChanges | None:
    """What changed between two releases, named by their keys; None when one of them is not loaded."""
    before, after = _texts(folder, old), _texts(folder, new)
    return compare(before, after) if before and after else None


def rule_move(folder: Path, number: str, today: str, older: tuple[str, ...]) -> RuleMove | None:
    """What a number meant in the first of the `older` releases that used it for another rule than `today`
    does, and where that rule stands today; None when none did. All are keys of releases."""
    current = _text(folder, today, number)
    for key in older:
        try:
            text = _text(folder, key, number)
        except KnowledgeOutdatedError:
            # Set-up builds it anew; the rule itself can be read without it.
            continue
        if text is not None and is_another_rule(text, current):
            before, after = _texts(folder, key), _texts(folder, today)
            return find_move(number, before, after) if before and after else None
    return None


def _text(folder: Path, key: str, number: str) -> str | None:
    with _opened(folder, key) as connection:
        rule = rules.rule_record(connection, number) if connection else None
        return rule.text if rule and rule.official else None


def _texts(folder: Path, key: str) -> RuleTexts | None:
    with _opened(folder, key) as connection:
        return read_texts(connection, key) if connection else None


@contextmanager
def _opened(folder: Path, key: str) -> Iterator[Connection | None]:
    reader = KnowledgeReader(folder, key)
    try:
        with reader.query() as connection:
            yield connection if reader.has_release else None
    finally:
        reader.close()
