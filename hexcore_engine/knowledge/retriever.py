"""The evidence for a question: what was asked for by number or name, then one ranking of the rules.

Several lists (index/signals.py) are fused, and a learned ranker orders the best of them anew (measured:
docs/development/log.md).
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from hexcore_engine.knowledge.cards.linking import NameIndex, cards_by_id, load_name_index
from hexcore_engine.knowledge.cards.records import CardRecord
from hexcore_engine.knowledge.digest.loader import LABEL
from hexcore_engine.knowledge.index.lexical import content_words
from hexcore_engine.knowledge.index.ranker import load_ranker
from hexcore_engine.knowledge.index.rule_table import RuleTable, load_rule_table
from hexcore_engine.knowledge.index.signals import Signals, combine, lexical_lists, ranks_as_scores
from hexcore_engine.knowledge.question import Question, QuestionReader
from hexcore_engine.knowledge.rules import reader as rules
from hexcore_engine.knowledge.rules.marks import why_words
from hexcore_engine.knowledge.rules.records import ReleaseRecord, RuleRecord
from hexcore_engine.knowledge.store.reader import KnowledgeReader
from hexcore_engine.protocol.records import Passage

MAX_CARD_PASSAGES = 4
ORACLE_WORDS = 40
# Names of keyword abilities and actions longer than this are rules of their own, not names.
_LONGEST_KEYWORD = 30
_RULES_OF_A_KEYWORD = 4
_THIS = re.compile(
    r"\bthis (creature|artifact|enchantment|land|permanent|spell|vehicle|equipment|aura)\b", re.IGNORECASE
)


class VectorIndex(Protocol):
    """Rules near a text in meaning; optional, injected where it is installed."""

    def nearest(self, text: str, limit: int) -> list[str]:
        """Return rule numbers, nearest first."""
        ...


@dataclass(frozen=True)
class Retrieval:
    """What was found. `rules_release` is an ISO date, None where our digest stands in; `notes` say in
    words what was missing."""

    passages: tuple[Passage, ...]
    rules_release: str | None
    elapsed_ms: float
    notes: tuple[str, ...] = ()


@dataclass
class _Evidence:
    """Ranked rules of one question, and why each is there."""

    ranked: list[tuple[str, float]] = field(default_factory=list)
    by_number: set[str] = field(default_factory=set)
    patterns: dict[str, str] = field(default_factory=dict)


class HybridRetriever:
    """Finds the rules and cards that decide a question. Used by one thread at a time."""

    PARTS: ClassVar[tuple[str, ...]] = (
        "ranker", "cards", "ours", "phrase", "pattern", "keyword", "glossary"
    )  # fmt: skip

    def __init__(
        self,
        folder: Path,
        vector_index: VectorIndex | None = None,
        without: frozenset[str] = frozenset(),
    ) -> None:
        """`without` names PARTS to leave out: to measure what each is worth, and to train the ranker."""
        self._reader = KnowledgeReader(folder)
        self._vectors = vector_index
        self._without = without
        self._ranker = None if "ranker" in without else load_ranker()
        self._table: RuleTable | None = None
        self._terms: list[tuple[str, list[str]]] = []
        self._generation: int | None = None
        self._names = NameIndex()
        self._common: frozenset[str] = frozenset()
        self._patterns: list[tuple[str, str]] = []
        self._keywords: dict[str, list[str]] = {}
        self._release: ReleaseRecord | None = None

    def close(self) -> None:
        """Close the files."""
        self._reader.close()

    def retrieve(self, question: str, limit: int = 12) -> Retrieval:
        """Return the best `limit` passages, named cards among them.

        Raises:
            KnowledgeCorruptError: when a knowledge file is damaged.
            KnowledgeOutdatedError: when one was made by another version.
        """
        started = time.monotonic()
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                note = "Nothing is set up yet, so nothing was looked up: run `hexcore setup`."
                return Retrieval((), None, (time.monotonic() - started) * 1000, (note,))
            self._refresh(connection)
            parsed, named = self._read(connection, question)
            evidence = self._rank(connection, parsed, named, limit * 4)
            passages = self._passages(connection, parsed, named, evidence, limit)
        release = self._release.effective if self._release and self._release.official else None
        elapsed_ms = (time.monotonic() - started) * 1000
        return Retrieval(passages, release, elapsed_ms, self._notes(named))

    def ranked_rules(self, question: str, limit: int = 50) -> list[tuple[str, float]]:
        """Return (rule number, score), best first; for evaluation."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                return []
            self._refresh(connection)
            parsed, named = self._read(connection, question)
            return self._rank(connection, parsed, named, limit).ranked[:limit]

    def signals(self, question: str) -> tuple[RuleTable, Signals] | None:
        """Return the scored lists of a question, for training; None when nothing is set up."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                return None
            self._refresh(connection)
            parsed, named = self._read(connection, question)
            table, signals, _ = self._signals(connection, parsed, named)
            return table, signals

    def named_cards(self, question: str) -> list[str]:
        """Return the names of the cards a question is understood to name; for evaluation."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                return []
            self._refresh(connection)
            return [card.name for card in self._read(connection, question)[1]]

    # -- inside

    def _refresh(self, connection: sqlite3.Connection) -> None:
        pointer = self._reader.pointer
        if pointer is None or pointer.generation == self._generation:
            return
        self._names = load_name_index(connection) if self._reader.has_cards else NameIndex()
        self._common = rules.common_words(connection)
        self._patterns = connection.execute("SELECT pattern, number FROM release.oracle_pattern").fetchall()
        self._keywords = _keyword_names(connection)
        self._terms = _glossary_terms(connection)
        self._table = load_rule_table(connection)
        entry = pointer.current_release()
        self._release = rules.release_record(connection, entry.key, entry.effective) if entry else None
        self._generation = pointer.generation

    def _read(self, connection: sqlite3.Connection, text: str) -> tuple[Question, list[CardRecord]]:
        def choose(card_ids: tuple[int, ...], question: str) -> int:
            return card_ids[0] if len(card_ids) == 1 else _likeliest(connection, card_ids, question)

        parsed = QuestionReader(self._names, self._common, choose).read(text)
        return parsed, cards_by_id(connection, [card.card_id for card in parsed.cards])

    def _rank(
        self, connection: sqlite3.Connection, question: Question, named: list[CardRecord], limit: int
    ) -> _Evidence:
        table, signals, patterns = self._signals(connection, question, named)
        evidence = _Evidence(patterns=patterns)
        asked = [number for number in question.rules if rules.exists(connection, number)]
        evidence.by_number = set(asked)
        ordered = self._ranker.order(table, signals) if self._ranker else signals.fused.items()
        ranked = ((table.numbers[position], score) for position, score in ordered)
        found = [(number, score) for number, score in ranked if number not in evidence.by_number]
        evidence.ranked = [(number, 1.0) for number in asked] + found[: max(limit, 0)]
        return evidence

    def _signals(
        self, connection: sqlite3.Connection, question: Question, named: list[CardRecord]
    ) -> tuple[RuleTable, Signals, dict[str, str]]:
        """Return the table of rules, the question's lists, and the cards whose text points to rules."""
        table = self._table
        if table is None:
            raise RuntimeError("signals before the release was read")
        words = list(question.words)
        named = [] if "cards" in self._without else named
        oracle = [_generic_oracle(card) for card in named]
        with_oracle = words + [word for text in oracle for word in content_words(text)[:ORACLE_WORDS]]
        patterns = self._patterns_on(named, oracle)
        lists = lexical_lists(connection, words, with_oracle if named else [])
        ordered = {
            "pattern": list(patterns),
            "keyword": self._keyword_rules(question, named),
            "glossary": self._glossary_rules(question),
            "vectors": self._vectors.nearest(question.text, 100) if self._vectors else [],
        }
        lists |= {name: ranks_as_scores(numbers, table.position) for name, numbers in ordered.items()}
        for part in self._without & lists.keys():
            lists[part] = {}
        return table, combine(lists, len(named), len(words)), patterns

    def _patterns_on(self, named: list[CardRecord], oracle: list[str]) -> dict[str, str]:
        """Return the rules whose patterns stand on a named card, most matched letters first, with the
        card."""
        if not named:
            return {}
        scores: dict[str, float] = {}
        owner: dict[str, str] = {}
        for pattern, number in self._patterns:
            for card, text in zip(named, oracle, strict=True):
                if pattern in text:
                    scores[number] = scores.get(number, 0.0) + len(pattern) ** 1.5
                    owner.setdefault(number, card.name)
        best = sorted(scores, key=lambda number: -scores[number])
        return {number: owner[number] for number in best[:80]}

    def _keyword_rules(self, question: Question, named: list[CardRecord]) -> list[str]:
        """Return the first rules of each keyword that the question or a named card names."""
        text = f" {' '.join(question.words)} "
        asked = [name for name in self._keywords if f" {name} " in text]
        printed = [keyword.lower() for card in named for keyword in card.keywords]
        names = dict.fromkeys([*asked, *(name for name in printed if name in self._keywords)])
        return [number for name in names for number in self._keywords[name]]

    def _glossary_rules(self, question: Question) -> list[str]:
        """Return the rules that official glossary entries of the question's words point to."""
        text = f" {' '.join(question.words)} "
        return [number for term, numbers in self._terms if f" {term} " in text for number in numbers]

    def _passages(
        self,
        connection: sqlite3.Connection,
        question: Question,
        named: list[CardRecord],
        evidence: _Evidence,
        limit: int,
    ) -> tuple[Passage, ...]:
        shown = named[: min(MAX_CARD_PASSAGES, max(1, limit // 2))]
        passages: list[Passage] = []
        for number, score in evidence.ranked:
            rule = rules.rule_record(connection, number)
            if len(passages) >= limit - len(shown):
                break
            if rule is None or not (rule.text or rule.plain):
                continue
            passages.append(self._rule_passage(connection, rule, score, question, evidence))
        asked = sum(number in evidence.by_number for number, _ in evidence.ranked)
        card_passages = [_card_passage(card) for card in shown]
        return (*passages[:asked], *card_passages, *passages[asked:])

    def _rule_passage(
        self,
        connection: sqlite3.Connection,
        rule: RuleRecord,
        score: float,
        question: Question,
        evidence: _Evidence,
    ) -> Passage:
        if rule.number in evidence.by_number:
            why = "you named its number"
        elif rule.number in evidence.patterns:
            why = f"the text of {evidence.patterns[rule.number]} points here"
            shared = why_words(rule, list(question.words))
            why = f"{why}; {shared}" if shared.startswith("your words") else why
        else:
            why = why_words(rule, list(question.words))
        official = rule.official and self._release is not None
        source = self._release.source if official and self._release else LABEL
        return Passage(
            kind="rule" if official else "digest",
            id=rule.number,
            title=_title(connection, rule),
            text="\n".join((rule.text, *rule.examples)) if official else rule.plain,
            why=why,
            source=source,
            official=official,
            score=score,
        )

    def _notes(self, named: list[CardRecord]) -> tuple[str, ...]:
        notes = []
        if self._release is None or not self._release.official:
            notes.append(
                "No official rules file is loaded: the rules found are in our words"
                " (`hexcore setup --rules FILE`)."
            )
        if not self._names.whole:
            notes.append("No cards are loaded (`hexcore setup`).")
        notes += [
            f"{card.name}: the text of {', '.join(card.missing_faces)} is not in the card data."
            for card in named
            if card.missing_faces
        ]
        return tuple(notes)


def _likeliest(connection: sqlite3.Connection, card_ids: tuple[int, ...], question: str) -> int:
    """The card whose name and text share most words with the question; the first of equals."""
    asked = set(content_words(question))

    def shared(card: CardRecord) -> int:
        text = " ".join(face.oracle_text for face in card.faces)
        return 3 * len(asked & set(content_words(card.name))) + len(asked & set(content_words(text)))

    found = cards_by_id(connection, card_ids)
    return card_ids[max(range(len(found)), key=lambda place: shared(found[place]))]


def card_text(card: CardRecord) -> str:
    """Return a card as plain text, all faces, what is missing said."""
    faces = []
    for face in card.faces:
        size = f"{face.power}/{face.toughness}" if face.power is not None else ""
        loyalty = f"loyalty {face.loyalty}" if face.loyalty is not None else ""
        parts = (face.name, face.mana_cost, "|", face.type_line, size, loyalty)
        head = " ".join(part for part in parts if part)
        faces.append(f"{head}\n{face.oracle_text}".strip())
    missing = [f"{name}: its text is not in the card data." for name in card.missing_faces]
    return "\n//\n".join([*faces, *missing])


def _card_passage(card: CardRecord) -> Passage:
    return Passage(
        kind="card",
        id=card.name,
        title=card.name,
        text=card_text(card),
        why="your question names it",
        source=card.source or "card data",
        score=1.0,
    )


def _title(connection: sqlite3.Connection, rule: RuleRecord) -> str:
    parent = rules.rule_record(connection, rule.parent) if rule.parent and "." in rule.parent else None
    name = parent.text if parent is not None and 0 < len(parent.text) <= 60 else ""
    return " · ".join(part for part in (rule.heading, name) if part) or rule.number


def _generic_oracle(card: CardRecord) -> str:
    """Return a card's text in lower case with its own name as `~`, as the digest's patterns write it."""
    texts = []
    for face in card.faces:
        text = f"{face.type_line}\n{face.oracle_text}"
        for name in {face.name, face.name.split(",")[0]}:
            text = text.replace(name, "~")
        text = _THIS.sub("~", text)
        texts.append(text.lower())
    return "\n".join(texts)


def _keyword_names(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the numbers of the first rules of each keyword ability and action, by its name in lower case."""
    rows = connection.execute(
        "SELECT number, lower(text) FROM release.rule WHERE parent IN ('701', '702') AND official"
        " AND length(text) <= ? ORDER BY position",
        (_LONGEST_KEYWORD,),
    ).fetchall()
    return {
        name: [child.number for child in rules.children(connection, number)[:_RULES_OF_A_KEYWORD]]
        for number, name in rows
    }


def _glossary_terms(connection: sqlite3.Connection) -> list[tuple[str, list[str]]]:
    rows = connection.execute("SELECT folded, rules FROM release.glossary WHERE official").fetchall()
    return [(term, json.loads(numbers)) for term, numbers in rows]
