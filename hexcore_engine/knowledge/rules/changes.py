"""What changed from one release of the rules to another: added, removed, reworded, moved to other numbers."""

from __future__ import annotations

import difflib
import re
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Literal

from hexcore_engine.knowledge.rules.matching import match_rules, plain_words
from hexcore_engine.knowledge.rules.numbers import sort_key
from hexcore_engine.protocol.records import Record

# Words with the signs at their ends apart, so that a comma put in is one change.
_TOKEN = re.compile(r"\d{3}\.\d+[a-z]?|[\w’']+|[^\w\s]|\s+")


class WordChange(Record, frozen=True):
    """A piece of text that stands in both releases, or in one of them."""

    kind: Literal["kept", "removed", "added"]
    text: str


class ListedRule(Record, frozen=True):
    """A rule that stands in one of the releases only."""

    rule: str
    text: str


class ChangedRule(Record, frozen=True):
    """A rule that was reworded under its number. `numbers_only`: nothing but rule numbers in it changed."""

    rule: str
    words: tuple[WordChange, ...]
    numbers_only: bool


class MovedRule(Record, frozen=True, rename={"old": "from", "new": "to"}):
    """A rule that has another number now. `words` say what was reworded, and are empty when nothing was."""

    old: str
    new: str
    words: tuple[WordChange, ...] = ()
    numbers_only: bool = False


class TermChange(Record, frozen=True):
    """A term of the glossary that was added, removed or reworded."""

    term: str
    kind: Literal["added", "removed", "changed"]
    words: tuple[WordChange, ...] = ()


class ReleaseChanges(Record, frozen=True):
    """All that changed from release `old` to `new`, in document order. Both are keys of releases."""

    old: str
    new: str
    added: tuple[ListedRule, ...]
    removed: tuple[ListedRule, ...]
    changed: tuple[ChangedRule, ...]
    moved: tuple[MovedRule, ...]
    glossary: tuple[TermChange, ...]


class RuleTexts(Record, frozen=True):
    """The texts of one release by number, and of its glossary by term."""

    key: str
    rules: dict[str, str]
    glossary: dict[str, str]


def read_texts(connection: sqlite3.Connection, key: str) -> RuleTexts:
    """Read the attached release."""
    rules = dict(connection.execute("SELECT number, text FROM release.rule WHERE official ORDER BY position"))
    terms = dict(connection.execute("SELECT term, text FROM release.glossary WHERE official"))
    return RuleTexts(key, rules, terms)


def compare(old: RuleTexts, new: RuleTexts) -> ReleaseChanges:
    """Return what changed."""
    places = match_rules(old.rules, new.rules)
    kept = set(places.values())
    return ReleaseChanges(
        old=old.key,
        new=new.key,
        added=_listed(new.rules, (number for number in new.rules if number not in kept)),
        removed=_listed(old.rules, (number for number in old.rules if number not in places)),
        changed=tuple(
            ChangedRule(number, *_reworded(old.rules[number], new.rules[number]))
            for number in _in_order(places)
            if places[number] == number and old.rules[number] != new.rules[number]
        ),
        moved=tuple(
            MovedRule(number, places[number], *_reworded(old.rules[number], new.rules[places[number]]))
            for number in _in_order(places)
            if places[number] != number
        ),
        glossary=tuple(_glossary_changes(old.glossary, new.glossary)),
    )


def word_changes(old: str, new: str) -> tuple[WordChange, ...]:
    """Return both texts as one run of words that were kept, removed and added; empty when they are equal."""
    if old == new:
        return ()
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    pieces: list[WordChange] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            pieces.append(WordChange("kept", "".join(before[start:end])))
            continue
        if start < end:
            pieces.append(WordChange("removed", "".join(before[start:end])))
        if new_start < new_end:
            pieces.append(WordChange("added", "".join(after[new_start:new_end])))
    return tuple(pieces)


def _reworded(old: str, new: str) -> tuple[tuple[WordChange, ...], bool]:
    words = word_changes(old, new)
    return words, bool(words) and plain_words(old) == plain_words(new)


def _listed(texts: Mapping[str, str], numbers: Iterable[str]) -> tuple[ListedRule, ...]:
    return tuple(ListedRule(number, texts[number]) for number in _in_order(numbers))


def _in_order(numbers: Iterable[str]) -> list[str]:
    return sorted(numbers, key=sort_key)


def _glossary_changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[TermChange]:
    changes = [TermChange(term, "added") for term in new.keys() - old.keys()]
    changes += [TermChange(term, "removed") for term in old.keys() - new.keys()]
    changes += [
        TermChange(term, "changed", word_changes(old[term], new[term]))
        for term in old.keys() & new.keys()
        if old[term] != new[term]
    ]
    return sorted(changes, key=lambda change: change.term.casefold())
