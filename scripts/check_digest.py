"""Proves that the digest is ours and sound: real numbers, short patterns, nothing repeated, nothing copied.

Compared with the official files in the folder HEXCORE_TEST_DATA names (../shared/data where unset) and with
the packaged cards of the user's set-up; where either is absent that comparison is left out and the output
says so.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from hexcore_engine.knowledge.cards.linking import cards_by_id
from hexcore_engine.knowledge.digest.loader import DigestEntry, known_numbers, load_digest
from hexcore_engine.knowledge.rules.parser import parse_rules_file
from hexcore_engine.knowledge.store.reader import KnowledgeReader
from hexcore_engine.paths import default_paths

DATA = Path(os.environ.get("HEXCORE_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
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


def shape_problems(entry: DigestEntry) -> Iterator[str]:
    """What is wrong with an entry by itself."""
    if entry.rule not in known_numbers():
        yield "there is no such rule"
    if not entry.plain.strip() or len(entry.plain.split()) > MAX_PLAIN_WORDS:
        yield f"plain has {len(entry.plain.split())} words"
    for name in ("said", "oracle", "asks"):
        texts = [text.strip().lower() for text in getattr(entry, name)]
        if "" in texts or len(set(texts)) != len(texts):
            yield f"{name} holds something empty or twice"
    yield from (
        f"pattern too long: {pattern}" for pattern in entry.oracle if len(pattern.split()) > MAX_PATTERN_WORDS
    )


def texts_of(entry: DigestEntry) -> Iterable[str]:
    """Everything an entry says."""
    return (entry.plain, *entry.said, *entry.asks)


def official_runs() -> Runs:
    """Runs of words of every official rules file at hand."""
    found: Runs = set()
    for file in sorted(DATA.glob("MagicCompRules-*.txt")):
        parsed = parse_rules_file(file)
        for rule in parsed.rules:
            for text in (rule.text, *rule.examples):
                found |= runs(text, COPIED_WORDS)
        for term in parsed.glossary:
            found |= runs(term.text, COPIED_WORDS)
    return found


def card_runs() -> Runs:
    """Runs of words of every card that is set up."""
    reader = KnowledgeReader(default_paths().knowledge_dir)
    found: Runs = set()
    with reader.query() as connection:
        if connection is not None and reader.has_cards:
            (count,) = connection.execute("SELECT COUNT(*) FROM card").fetchone()
            for card in cards_by_id(connection, range(count)):
                for face in card.faces:
                    found |= runs(face.oracle_text, COPIED_WORDS)
    reader.close()
    return found


def question_runs() -> Runs:
    """Runs of words of the development questions, which the digest must not know."""
    file = DATA / "questions_dev.jsonl"
    if not file.exists():
        return set()
    questions = [json.loads(line)["question"] for line in file.read_text("utf-8").splitlines()]
    return {run for question in questions for run in runs(question, SHARED_QUESTION_WORDS)}


def main() -> int:
    """Print every problem; 1 when there is one."""
    problems = [f"{entry.rule}: {text}" for entry in load_digest().values() for text in shape_problems(entry)]
    sources = {
        "the official rules": (official_runs(), COPIED_WORDS),
        "the packaged cards": (card_runs(), COPIED_WORDS),
        "the development questions": (question_runs(), SHARED_QUESTION_WORDS),
    }
    for name, (known, length) in sources.items():
        if not known:
            print(f"not compared with {name}: not at hand")
            continue
        for entry in load_digest().values():
            shared = [text for text in texts_of(entry) if runs(text, length) & known]
            problems += [
                f"{entry.rule}: shares {length} words in a row with {name}: {text}" for text in shared
            ]
    print("\n".join(problems) or f"{len(load_digest())} entries are sound")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
