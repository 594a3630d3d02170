"""Explaining a term: the official glossary first, then what players say, in our words and labelled so.

Which of our entries stands under which number is read from the release, for rules move between releases.
"""

from __future__ import annotations

import difflib
import json
import sqlite3
from functools import cache

from hexcore_engine.knowledge.digest.loader import LABEL, DigestEntry, load_digest
from hexcore_engine.knowledge.rules.records import GlossaryRecord
from hexcore_engine.utils.validation import fold

# So many of players' words stand beside an official term.
NUM_SAID = 6
# Of the letters of two terms that may be one misspelt, this share is the same.
_ALIKE = 0.75


def glossary(connection: sqlite3.Connection, term: str, limit: int = 8) -> tuple[GlossaryRecord, ...]:
    """Return official entries for a term (exact first, then those that begin with it or contain it), then
    what players say, in our words."""
    wanted = fold(term).strip()
    if not wanted:
        return ()
    rows = connection.execute(
        "SELECT term, text, rules FROM release.glossary WHERE instr(folded, ?) > 0"
        " ORDER BY folded != ?, instr(folded, ?), length(folded) LIMIT ?",
        (wanted, wanted, wanted, limit),
    ).fetchall()
    places = _places(connection)
    official = [_official_term(places, found, text, json.loads(rules)) for found, text, rules in rows]
    return (*official, *_players_words(places, wanted, limit))


def rules_of_term(connection: sqlite3.Connection, term: str) -> tuple[str, ...]:
    """Return the rules the official glossary names for exactly this term."""
    found = connection.execute("SELECT rules FROM release.glossary WHERE folded = ?", (fold(term).strip(),))
    return tuple(number for (rules,) in found for number in json.loads(rules))


def nearest_terms(connection: sqlite3.Connection, term: str, limit: int = 3) -> tuple[str, ...]:
    """Return what a term that is not known may have been meant as, the most alike first: official terms, then
    players' words."""
    wanted = fold(term).strip()
    official = dict(connection.execute("SELECT folded, term FROM release.glossary"))
    said = {key.strip(): words for pairs in _folded_said().values() for words, key in pairs}
    found: dict[str, str] = {}
    for named in (official, said):
        for key in difflib.get_close_matches(wanted, named, n=limit, cutoff=_ALIKE):
            found.setdefault(key, named[key])
    return tuple(found.values())[:limit]


def _places(connection: sqlite3.Connection) -> dict[str, DigestEntry]:
    """Our entries by the number each has in the release."""
    entries = _entries_by_statement()
    rows = connection.execute("SELECT number, plain FROM release.rule WHERE plain != '' ORDER BY position")
    return {number: entries[plain] for number, plain in rows if plain in entries}


def _official_term(places: dict[str, DigestEntry], term: str, text: str, rules: list[str]) -> GlossaryRecord:
    """Join a term with what players say for the first rule it names, and for those below it."""
    about = [entry for number, entry in places.items() if rules and _is_about(number, rules[0])]
    said = dict.fromkeys(words for entry in about for words in entry.said)
    others = tuple(words for words in said if fold(words) != fold(term))
    return GlossaryRecord(term, text, True, tuple(rules), others[:NUM_SAID])


def _is_about(number: str, named: str) -> bool:
    return number == named or ("." in named and number.startswith(named) and number[len(named) :].isalpha())


def _players_words(places: dict[str, DigestEntry], wanted: str, limit: int) -> list[GlossaryRecord]:
    found = []
    folded = _folded_said()
    for number, entry in places.items():
        keys = folded[entry.rule]
        said = next((words for words, key in keys if key == f" {wanted} "), None)
        said = said or next((words for words, key in keys if f" {wanted} " in key), None)
        if said is not None:
            record = GlossaryRecord(said, f"{entry.plain} ({LABEL})", False, (number,))
            found.append((fold(said) != wanted, len(said), record))
    return [record for _, _, record in sorted(found, key=lambda item: item[:2])[:limit]]


@cache
def _entries_by_statement() -> dict[str, DigestEntry]:
    return {entry.plain: entry for entry in load_digest().values()}


@cache
def _folded_said() -> dict[str, tuple[tuple[str, str], ...]]:
    """Return, by an entry's rule, what players say and the same folded between two spaces."""
    return {
        entry.rule: tuple((words, f" {fold(words)} ") for words in entry.said)
        for entry in load_digest().values()
    }
