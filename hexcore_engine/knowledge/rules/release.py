"""Building the file of one rules release: its rules joined with our digest, and its full-text tables.

Without an official file our digest stands in: the same tables, our plain statements as text, not official.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hexcore_engine.knowledge.cards.names import name_key
from hexcore_engine.knowledge.digest.loader import (
    DigestEntry,
    digest_hash,
    known_numbers,
    load_digest,
    our_titles,
)
from hexcore_engine.knowledge.digest.placement import place_entries
from hexcore_engine.knowledge.rules.body import ParsedRule
from hexcore_engine.knowledge.rules.decoding import decode_rules_text, read_rules_bytes
from hexcore_engine.knowledge.rules.numbers import find_references, parent_number, sort_key
from hexcore_engine.knowledge.rules.parser import ParsedRules, ParseWarning, parse_rules_text
from hexcore_engine.knowledge.rules.records import COLUMNS
from hexcore_engine.knowledge.store.builder import import_lock, publish_release
from hexcore_engine.knowledge.store.forms import RELEASE_FORM
from hexcore_engine.knowledge.store.pointer import Pointer, ReleaseEntry, read_pointer

DIGEST_KEY = "digest"

_LOWER_CASE = re.compile(r"(?<![\w'’])[a-z][a-z'’]*(?![\w'’])")
# Players write many a card's name in lower case; fewer entries than this may be a name's.
_ENTRIES_OF_A_COMMON_WORD = 3

# A change of these raises RELEASE_FORM (store/forms.py).
_TABLES = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rule (
    position INTEGER PRIMARY KEY,     -- document order
    number TEXT NOT NULL UNIQUE,      -- "7", "702", "702.19", "702.19b"
    parent TEXT,
    text TEXT NOT NULL,               -- official text or our plain statement; a heading's title
    official INTEGER NOT NULL,
    heading TEXT NOT NULL,            -- title of the group it stands in
    plain TEXT NOT NULL               -- our statement, "" where we have none
);
CREATE INDEX rule_parent ON rule (parent, position);
CREATE TABLE example (number TEXT NOT NULL, place INTEGER NOT NULL, text TEXT NOT NULL);
CREATE INDEX example_number ON example (number, place);
CREATE TABLE reference (
    source TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (source, target)
) WITHOUT ROWID;
CREATE INDEX reference_target ON reference (target, source);
CREATE TABLE glossary (
    folded TEXT NOT NULL, term TEXT NOT NULL, text TEXT NOT NULL, official INTEGER NOT NULL, rules TEXT NOT
    NULL
);
CREATE INDEX glossary_folded ON glossary (folded);
CREATE TABLE common_word (word TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE postings (name TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID; -- see index/postings
CREATE TABLE oracle_pattern (pattern TEXT NOT NULL, number TEXT NOT NULL);
CREATE VIRTUAL TABLE rule_words USING fts5(
    {", ".join(COLUMNS)}, tokenize = "porter unicode61 remove_diacritics 2"
);
"""


@dataclass(frozen=True)
class ImportReport:
    """What an import read. `unchanged` when the same file is already the release of that date; `key` names
    the release among those on disk."""

    effective: str | None
    rules: int
    groups: int
    examples: int
    glossary: int
    encoding: str
    warnings: tuple[ParseWarning, ...]
    unchanged: bool
    key: str = ""
    kind: str = "rules"


def import_rules_file(folder: Path, file: Path) -> ImportReport:
    """Read an official rules file and make it a release in `folder`; the newest by date is the current one.

    Raises:
        ImportFileError: when it is no whole rules file; what was there stays untouched.
        StorageError: when the folder can't be written.
    """
    content = read_rules_bytes(file)
    parsed = parse_rules_text(decode_rules_text(content, str(file)), str(file))
    source_hash = hashlib.sha256(content).hexdigest()[:16]
    effective = parsed.effective.isoformat() if parsed.effective else None
    key = effective or f"undated-{source_hash[:6]}"
    with import_lock(folder):
        unchanged = _is_current(folder, key, source_hash)
        if not unchanged:
            meta = {
                "source": f"Comprehensive Rules {effective or 'without a date'}",
                "source_hash": source_hash,
            }
            rules = list(_official_rules(parsed))
            glossary = [(term.term, term.text, True) for term in parsed.glossary]
            publish_release(
                folder, key, effective, True, lambda connection: _write(connection, rules, glossary, meta)
            )
    return ImportReport(
        effective,
        parsed.num_rules,
        parsed.num_groups,
        parsed.num_examples,
        len(parsed.glossary),
        parsed.encoding,
        parsed.warnings,
        unchanged,
        key,
    )


def ensure_digest_release(folder: Path) -> Pointer:
    """Build the release that stands in for an official one, unless it is there and up to date."""
    with import_lock(folder):
        pointer = read_pointer(folder)
        if pointer is not None and _is_current(folder, DIGEST_KEY, digest_hash()):
            return pointer
        meta = {"source": "our digest, in our words, not official", "source_hash": digest_hash()}
        rules = list(_digest_rules())
        return publish_release(
            folder, DIGEST_KEY, None, False, lambda connection: _write(connection, rules, [], meta)
        )


def has_other_form(folder: Path, entry: ReleaseEntry) -> bool:
    """Whether a release's file was built by a version of this module with other tables."""
    return _read_meta(folder / entry.file).get("schema") != str(RELEASE_FORM)


def has_stale_digest(folder: Path, entry: ReleaseEntry) -> bool:
    """Whether a release's file was built from another digest or has another version's form."""
    meta = _read_meta(folder / entry.file)
    return meta.get("digest_hash") != digest_hash() or meta.get("schema") != str(RELEASE_FORM)


@dataclass(frozen=True)
class _Row:
    number: str
    text: str
    official: bool
    examples: tuple[str, ...] = ()


def _official_rules(parsed: ParsedRules) -> Iterable[_Row]:
    rows: dict[str, _Row] = {}
    for heading in (*parsed.sections, *parsed.groups):
        rows.setdefault(heading.number, _Row(heading.number, heading.title, True))
    # Some old files use a number twice: both texts are kept under it.
    rules: dict[str, list[ParsedRule]] = {}
    for rule in parsed.rules:
        rules.setdefault(rule.number, []).append(rule)
    for number, same in rules.items():
        examples = tuple(example for rule in same for example in rule.examples)
        rows[number] = _Row(number, "\n".join(rule.text for rule in same), True, examples)
    return sorted(rows.values(), key=lambda row: sort_key(row.number))


def _digest_rules() -> Iterable[_Row]:
    entries = load_digest()
    titles = our_titles()
    for number in sorted(known_numbers(), key=sort_key):
        entry = entries.get(number)
        yield _Row(number, entry.plain if entry else titles.get(number, ""), False)


def _write(
    connection: sqlite3.Connection,
    rules: list[_Row],
    glossary: list[tuple[str, str, bool]],
    meta: dict[str, str],
) -> None:
    connection.executescript(_TABLES)
    digest = _digest_for(rules)
    texts = {row.number: row.text for row in rules}
    # Without our words a rule of the digest release would be an empty line: its number is known, not more.
    connection.executemany(
        "INSERT INTO rule VALUES (?, ?, ?, ?, ?, ?, ?)",
        (_rule_row(position, row, texts, digest) for position, row in enumerate(rules)),
    )
    connection.executemany(
        f"INSERT INTO rule_words (rowid, {', '.join(COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (position, *_words_row(row, texts, digest.get(row.number)))
            for position, row in enumerate(rules)
            if row.text and "." in row.number
        ),
    )
    connection.executemany(
        "INSERT INTO example VALUES (?, ?, ?)",
        ((row.number, place, text) for row in rules for place, text in enumerate(row.examples)),
    )
    _write_references(connection, rules)
    _write_glossary(connection, glossary, texts)
    connection.executemany(
        "INSERT INTO oracle_pattern VALUES (?, ?)",
        ((p.lower(), number) for number, entry in digest.items() for p in entry.oracle),
    )
    connection.executemany(
        "INSERT INTO common_word VALUES (?)", ((word,) for word in _common_words(rules, digest))
    )
    _write_postings(connection, rules, texts, digest)
    num_rules = sum(1 for row in rules if "." in row.number and (row.text or row.official))
    meta |= {"digest_hash": digest_hash(), "schema": str(RELEASE_FORM), "num_rules": str(num_rules)}
    connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())


def _digest_for(rules: list[_Row]) -> dict[str, DigestEntry]:
    """Our entries by the number each stands under among these rules."""
    official = {row.number: row.text for row in rules if row.official}
    return place_entries(official).entries if official else load_digest()


def _write_postings(
    connection: sqlite3.Connection, rules: list[_Row], texts: dict[str, str], digest: dict[str, DigestEntry]
) -> None:
    from hexcore_engine.knowledge.index.postings import build_postings, write_postings
    from hexcore_engine.knowledge.index.tokens import Stemmer

    units = [
        (position, field, text)
        for position, row in enumerate(rules)
        if row.text and "." in row.number
        for field, text in _units(row, texts, digest.get(row.number))
    ]
    terms = Stemmer().many_terms([text for _, _, text in units])
    rows = ((position, field, words) for (position, field, _), words in zip(units, terms, strict=True))
    write_postings(connection, build_postings(rows, len(rules)))


def _units(row: _Row, texts: dict[str, str], entry: DigestEntry | None) -> Iterable[tuple[str, str]]:
    """Yield (field, text) of each single text about a rule; the fields are index/postings'."""
    _, heading, parent_body, plain, _, _ = _words_row(row, texts, entry)
    if row.official:
        yield "body", row.text
        yield from (("example", example) for example in row.examples)
    yield from (("heading", heading), ("parent_body", parent_body), ("plain", plain))
    if entry is not None:
        yield from (("said", phrase) for phrase in entry.said)
        yield from (("asks", question) for question in entry.asks)


def _common_words(rules: list[_Row], digest: dict[str, DigestEntry]) -> list[str]:
    """Words written in lower case by a rule or one of our statements, or by players around several rules."""
    found = {word for row in rules for word in _LOWER_CASE.findall(row.text)}
    found |= {word for entry in digest.values() for word in _LOWER_CASE.findall(entry.plain)}
    by_players = Counter(
        word
        for entry in digest.values()
        for word in set(_LOWER_CASE.findall("\n".join((*entry.said, *entry.asks))))
    )
    found |= {word for word, entries in by_players.items() if entries >= _ENTRIES_OF_A_COMMON_WORD}
    return sorted({name_key(word) for word in found})


def _rule_row(
    position: int, row: _Row, texts: dict[str, str], digest: dict[str, DigestEntry]
) -> tuple[int, str, str | None, str, int, str, str]:
    entry = digest.get(row.number)
    heading = texts.get(row.number[:3], "") if "." in row.number else ""
    plain = entry.plain if entry else ""
    return position, row.number, parent_number(row.number), row.text, int(row.official), heading, plain


def _words_row(
    row: _Row, texts: dict[str, str], entry: DigestEntry | None
) -> tuple[str, str, str, str, str, str]:
    parent = parent_number(row.number) or ""
    body = "\n".join((row.text, *row.examples)) if row.official else ""
    heading = f"{texts.get(row.number[:3], '')} {texts.get(row.number[0], '')}"
    # The rule above names what its subrules are about ("Trample"), often in few words.
    parent_body = texts.get(parent, "")[:300] if "." in parent else ""
    if entry is None:
        return body, heading, parent_body, "", "", ""
    return body, heading, parent_body, entry.plain, "\n".join(entry.said), "\n".join(entry.asks)


def _write_references(connection: sqlite3.Connection, rules: list[_Row]) -> None:
    known = {row.number for row in rules}
    pairs = {
        (row.number, target)
        for row in rules
        if row.official
        for target in find_references(row.text)
        if target in known and target != row.number
    }
    connection.executemany("INSERT INTO reference VALUES (?, ?)", sorted(pairs))


def _write_glossary(
    connection: sqlite3.Connection, glossary: list[tuple[str, str, bool]], texts: dict[str, str]
) -> None:
    from hexcore_engine.utils.validation import fold

    rows = []
    for term, text, official in glossary:
        targets = [number for number in find_references(text) if number in texts]
        rows.append((fold(term), term, text, int(official), json.dumps(targets)))
    connection.executemany("INSERT INTO glossary VALUES (?, ?, ?, ?, ?)", rows)


def _is_current(folder: Path, key: str, source_hash: str) -> bool:
    pointer = read_pointer(folder)
    entry = next((entry for entry in pointer.releases if entry.key == key), None) if pointer else None
    if entry is None:
        return False
    return _read_meta(folder / entry.file).get("source_hash") == source_hash and not has_stale_digest(
        folder, entry
    )


def _read_meta(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
    try:
        return dict(connection.execute("SELECT name, value FROM meta"))
    except sqlite3.DatabaseError:
        return {}
    finally:
        connection.close()
