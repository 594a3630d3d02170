"""The evidence for a question: what was asked for by number or name, then one ranking of the rules.

Several lists (index/signals.py) are fused, and a learned ranker orders the best of them anew (measured:
docs/development/log.md).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from hexcore_engine.knowledge.cards.linking import NameIndex, cards_by_id, load_name_index
from hexcore_engine.knowledge.cards.reader import read_source
from hexcore_engine.knowledge.cards.records import CardRecord
from hexcore_engine.knowledge.cards.text import card_text, generic_text
from hexcore_engine.knowledge.digest.loader import LABEL
from hexcore_engine.knowledge.index.base import NOT_INSTALLED, Absence, NearTexts, VectorIndex, no_near_texts
from hexcore_engine.knowledge.index.lexical import content_words
from hexcore_engine.knowledge.index.opening import open_signals
from hexcore_engine.knowledge.index.ranker import load_ranker
from hexcore_engine.knowledge.index.reasons import Asked, reasons_for
from hexcore_engine.knowledge.index.signals import PARTS, CardWords, Query, SignalReader, Signals, fused_order
from hexcore_engine.knowledge.question import Question, QuestionReader, shortened
from hexcore_engine.knowledge.rules import reader as rules
from hexcore_engine.knowledge.rules.records import ReleaseRecord, RuleRecord
from hexcore_engine.knowledge.store.reader import KnowledgeReader
from hexcore_engine.knowledge.store.status import older_than_cards
from hexcore_engine.protocol.records import Passage

MAX_CARD_PASSAGES = 4


@dataclass(frozen=True)
class Retrieval:
    """What was found. `rules_release` is an ISO date, None where our digest stands in; `notes` say in
    words what was missing, `optional` the same of parts a person may do without: to be said once."""

    passages: tuple[Passage, ...]
    rules_release: str | None
    elapsed_ms: float
    notes: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Evidence:
    """Ranked rules of one question; first the `num_asked` that it names by number."""

    ranked: list[tuple[str, float]]
    num_asked: int
    signals: Signals


class HybridRetriever:
    """Finds the rules and cards that decide a question. Used by one thread at a time."""

    PARTS: ClassVar[tuple[str, ...]] = ("ranker", *PARTS)

    def __init__(
        self,
        folder: Path,
        vector_index: VectorIndex | None = None,
        without: Collection[str] = (),
    ) -> None:
        """`without` names PARTS to leave out: to measure what each is worth, and to train the ranker."""
        self._reader = KnowledgeReader(folder)
        self._vectors = vector_index
        # Meanings are computed while the words are scored: each takes about as long as the other.
        self._beside = ThreadPoolExecutor(1, "retrieve-near") if vector_index else None
        self._without = frozenset(without)
        stored = load_ranker()
        self._decided = stored.decided if stored else ()
        self._ranker = None if "ranker" in self._without else stored
        self._signals: SignalReader | None = None
        self._generation: int | None = None
        self._names = NameIndex()
        self._common: frozenset[str] = frozenset()
        self._release: ReleaseRecord | None = None
        self._older: str | None = None

    def close(self) -> None:
        """Close the files."""
        if self._beside is not None:
            self._beside.shutdown()
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
            reader = self._refresh(connection)
            near = self._near(question)
            parsed, named = self._read(connection, question)
            query = self._query(reader, parsed, named, near)
            evidence = self._rank(reader, parsed, query, limit * 4)
            passages = self._passages(connection, reader, parsed, named, evidence, limit)
        release = self._release.effective if self._release and self._release.official else None
        absent = self._absence_of_vectors(query)
        passing = tuple(absence.note for absence in absent if absence.passing)
        lasting = tuple(absence.note for absence in absent if not absence.passing)
        elapsed_ms = (time.monotonic() - started) * 1000
        return Retrieval(passages, release, elapsed_ms, self._notes(named) + passing, lasting)

    def ranked_rules(
        self, question: str, limit: int = 50, example: tuple[str, int] | None = None
    ) -> list[tuple[str, float]]:
        """Return (rule number, score), best first; for evaluation. `example` names a rule's example, by the
        rule's number and its place there, that counts as not written."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                return []
            reader = self._refresh(connection)
            near = self._near(question)
            parsed, named = self._read(connection, question)
            query = self._query(reader, parsed, named, near, example)
            return self._rank(reader, parsed, query, limit).ranked[:limit]

    def prepare(
        self, question: str, example: tuple[str, int] | None = None
    ) -> tuple[SignalReader, Query] | None:
        """Return what scores a question, and the question as it takes it; for training. `example` as in
        `ranked_rules`. None when nothing is set up."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                return None
            reader = self._refresh(connection)
            near = self._near(question)
            return reader, self._query(reader, *self._read(connection, question), near, example)

    def examples(self) -> list[tuple[str, int, str]]:
        """Return the rules' own examples as (number, place, text); for evaluation."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                return []
            return connection.execute(
                "SELECT number, place, text FROM release.example ORDER BY number, place"
            ).fetchall()

    def named_cards(self, question: str) -> list[str]:
        """Return the names of the cards a question is understood to name; for evaluation."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                return []
            self._refresh(connection)
            return [card.name for card in self._read(connection, question)[1]]

    # -- inside

    def _refresh(self, connection: sqlite3.Connection) -> SignalReader:
        """Return the reader of the current release's signals; reads anew what an import has changed."""
        pointer = self._reader.pointer
        if self._signals is None or pointer is None or pointer.generation != self._generation:
            self._names = load_name_index(connection) if self._reader.has_cards else NameIndex()
            self._common = rules.common_words(connection)
            self._signals = open_signals(connection, self._decided, self._without & PARTS.keys())
            entry = pointer.current_release() if pointer else None
            self._release = rules.release_record(connection, entry.key, entry.effective) if entry else None
            cards = read_source(connection) if self._reader.has_cards else None
            self._older = older_than_cards(entry.effective, cards.date) if entry and cards else None
            self._generation = pointer.generation if pointer else None
        return self._signals

    def _read(self, connection: sqlite3.Connection, text: str) -> tuple[Question, list[CardRecord]]:
        def choose(card_ids: tuple[int, ...], question: str) -> int:
            return card_ids[0] if len(card_ids) == 1 else _likeliest(connection, card_ids, question)

        parsed = QuestionReader(self._names, self._common, choose).read(text)
        return parsed, cards_by_id(connection, [card.card_id for card in parsed.cards])

    def _query(
        self,
        reader: SignalReader,
        question: Question,
        named: list[CardRecord],
        near: Callable[[], NearTexts | None],
        example: tuple[str, int] | None = None,
    ) -> Query:
        hidden: list[int] = []
        if example is not None:
            number, at = example
            hidden = reader.postings.units_of("example", reader.table.position[number])[at : at + 1]
        cards = (
            CardWords(card.name, generic_text(card), tuple(word.lower() for word in card.keywords))
            for card in named
        )
        return Query(
            text=question.text,
            rest=question.rest,
            cards=tuple(cards),
            without=hidden,
            near=near,
        )

    def _near(self, text: str) -> Callable[[], NearTexts | None]:
        """Begin to look for texts near in meaning; what is returned waits for them."""
        vectors, entry = self._vectors, self._reader.release_entry
        if self._beside is None or vectors is None or entry is None or "vectors" in self._without:
            return no_near_texts
        if not text.strip():
            return no_near_texts
        return self._beside.submit(vectors.near, entry.file, shortened(text)).result

    def _absence_of_vectors(self, query: Query) -> list[Absence]:
        if query.near() is not None or "vectors" in self._without or not query.text.strip():
            return []
        absence = self._vectors.absence() if self._vectors else NOT_INSTALLED
        return [] if absence.chosen else [absence]

    def _rank(self, reader: SignalReader, question: Question, query: Query, limit: int) -> _Evidence:
        signals, table = reader.read(query), reader.table
        asked = [number for number in question.rules if number in table.position]
        ordered = self._ranker.order(table, signals) if self._ranker else fused_order(signals, limit)
        ranked = [(table.numbers[place], score) for place, score in ordered]
        found = [(number, score) for number, score in ranked if number not in asked]
        return _Evidence([*((number, 1.0) for number in asked), *found[: max(limit, 0)]], len(asked), signals)

    def _passages(
        self,
        connection: sqlite3.Connection,
        reader: SignalReader,
        question: Question,
        named: list[CardRecord],
        evidence: _Evidence,
        limit: int,
    ) -> tuple[Passage, ...]:
        cards = named[: min(MAX_CARD_PASSAGES, max(1, limit // 2))]
        asked = Asked(reader, evidence.signals, list(question.words))
        records = rules.rule_records(connection, [number for number, _ in evidence.ranked])
        scored = [(records[number], score) for number, score in evidence.ranked if number in records]
        scored = [(rule, score) for rule, score in scored if rule.text or rule.plain]
        kept = scored[: max(limit - len(cards), 0)]
        by_number = {number for number, _ in evidence.ranked[: evidence.num_asked]}
        phrases = rules.players_phrases(connection, [rule.number for rule, _ in kept])
        parents = rules.rule_records(connection, [rule.parent for rule, _ in kept if rule.parent])
        passages: list[Passage] = []
        for rule, score in kept:
            why = "you named its number"
            if rule.number not in by_number:
                shown = {passage.id for passage in passages}
                why = reasons_for(asked, rule, phrases.get(rule.number, []), shown)
            title = _title(rule, parents.get(rule.parent or ""))
            passages.append(self._rule_passage(rule, title, score, why))
        card_passages = [_card_passage(card) for card in cards]
        return (*passages[: evidence.num_asked], *card_passages, *passages[evidence.num_asked :])

    def _rule_passage(self, rule: RuleRecord, title: str, score: float, why: str) -> Passage:
        official = rule.official and self._release is not None
        source = self._release.source if official and self._release else LABEL
        return Passage(
            kind="rule" if official else "digest",
            id=rule.number,
            title=title,
            text="\n".join((rule.text, *rule.examples)) if official else rule.plain,
            why=why,
            source=source,
            official=official,
            score=score,
        )

    def _notes(self, named: list[CardRecord]) -> tuple[str, ...]:
        notes = []
        if self._ranker is None:
            notes.append("The learned ranker is missing: the rules are ordered by their fused lists.")
        if self._release is None or not self._release.official:
            notes.append(
                "No official rules file is loaded: the rules found are in our words"
                " (`hexcore data import FILE`)."
            )
        if self._older:
            notes.append(f"{self._older[:1].upper()}{self._older[1:]} (`hexcore data update`).")
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


def _title(rule: RuleRecord, parent: RuleRecord | None) -> str:
    """The name of the rule's group, and its parent's where that is a name and no sentence."""
    text = parent.text if parent is not None and "." in parent.number else ""
    name = text if len(text) <= 60 and not text.endswith((":", ".")) else ""
    return " · ".join(part for part in (rule.heading, name) if part) or rule.number
