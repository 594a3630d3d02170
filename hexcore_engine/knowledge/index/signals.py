"""How every rule of a release answers one question: a score a list, before anything is learned.

What the lists and their fusion find is measured in docs/development/log.md.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.knowledge.index.base import NearTexts, no_near_texts
from hexcore_engine.knowledge.index.decided_questions import DecidedQuestions
from hexcore_engine.knowledge.index.postings import FIELDS, Postings
from hexcore_engine.knowledge.index.rule_table import RuleTable
from hexcore_engine.knowledge.index.tokens import Stemmer
from hexcore_engine.knowledge.index.topics import Stems, Topics

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

OUR_FIELDS = ("plain", "said", "asks")
FIELD_WEIGHTS: Mapping[str, float] = {
    "body": 1.0, "example": 0.5, "heading": 0.6, "parent_body": 0.8, "plain": 1.2, "said": 1.6, "asks": 1.4,
}  # fmt: skip
# Lists that choose the candidates, with their weights in the fusion: what a named card says counts beside
# the person's words instead of being drowned by them.
FUSION: Mapping[str, float] = {
    "all": 0.6, "ours": 0.2, "in_body": 0.5, "in_example": 0.2, "in_parent_body": 0.2, "in_asks": 0.2,
    "with_oracle": 0.2, "oracle_body": 0.5, "oracle_said": 0.2, "oracle_asks": 0.2, "pattern": 0.2,
    "pattern_rare": 0.6, "topic": 0.4, "card_topic": 0.6, "asked": 0.2, "asked_all": 0.6, "near": 0.6,
}  # fmt: skip
# Lists whose order counts: those above, and what the ranker looks at beside them.
ORDERED = (*FUSION, "rest", "in_plain", "in_said", "best_said", "best_ask", "oracle_plain")
# Fields whose single texts have vectors.
NEAR_FIELDS = ("body", "plain", "said", "asks")
# Parts that can be left out, and the lists they fill; "digest" and "cards" are fields and texts instead.
PARTS: Mapping[str, tuple[str, ...]] = {
    "digest": (),
    "cards": (),
    "patterns": ("pattern", "pattern_rare"),
    "topics": ("topic", "card_topic"),
    "decided": ("asked", "asked_all"),
    "vectors": ("near", *(f"near_{name}" for name in NEAR_FIELDS)),
}
# Words of the named cards' texts count less than the person's own.
_ORACLE_WEIGHT = 0.5
_MOST_TERMS = 400
_MOST_ORACLE_TERMS = 80
RANK_OFFSET = 20.0
_FUSED_DEPTH = 400


@dataclass(frozen=True)
class CardWords:
    """What a named card adds to a question: its text with its own name as `~`, lower-cased, and its
    keywords."""

    name: str
    text: str
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    """A question for ranking: the person's words, the same without whole card names, and the cards named.

    Units `without` and decided questions `forgotten` count as not written, so that a text the indexes hold
    can be asked. `near` gives the texts near the question in meaning, None where there are no vectors; it is
    called last, when the words are scored, and may wait for them.
    """

    text: str
    rest: str
    cards: tuple[CardWords, ...] = ()
    without: Collection[int] = ()
    forgotten: Collection[int] = ()
    near: Callable[[], NearTexts | None] = no_near_texts


@dataclass(frozen=True)
class Signals:
    """Scores by list, each an array by rule position, greater is better, 0 where the list is silent.

    `fused` orders all rules; `orders` are the positions of each list in ORDERED and of vectors, best first.
    The rest says why: names of rules used in the question and on cards, cards whose
    text points to a rule, and how well each unit is met (share of its words' weight, 0 to 1).
    """

    lists: Mapping[str, Floats]
    fused: Floats
    orders: Mapping[str, Ints] = field(default_factory=dict)
    num_cards: int = 0
    num_terms: int = 0
    named: Mapping[int, Stems] = field(default_factory=dict)
    named_on: Mapping[int, tuple[str, Stems]] = field(default_factory=dict)
    pointing_card: Mapping[int, str] = field(default_factory=dict)
    unit_shares: Floats = field(default_factory=lambda: np.zeros(0, dtype=np.float32))


class SignalReader:
    """Scores the rules of one release. Used by one thread at a time."""

    def __init__(
        self,
        postings: Postings,
        table: RuleTable,
        patterns: Sequence[tuple[str, int]],
        topics: Topics,
        stemmer: Stemmer,
        decided: DecidedQuestions | None = None,
        without: Collection[str] = (),
    ) -> None:
        """`patterns` are (fragment of card text, position); `without` names PARTS to leave out."""
        self.postings = postings
        self.table = table
        self.topics = topics
        self.stemmer = stemmer
        self._decided = decided
        self._without = frozenset(without)
        silent = OUR_FIELDS if "digest" in self._without else ()
        self._weights = np.array([FIELD_WEIGHTS[name] * (name not in silent) for name in FIELDS], np.float32)
        self._ours = self._weights * np.array([name in OUR_FIELDS for name in FIELDS], dtype=np.float32)
        self._heard = (self._weights > 0).astype(np.float32)[:, None]
        self._patterns: dict[str, list[int]] = {}
        for pattern, place in patterns:
            self._patterns.setdefault(pattern, []).append(place)

    def remembering(self, decided: DecidedQuestions) -> SignalReader:
        """Return the same reader with these decided questions."""
        other = copy.copy(self)
        other._decided = decided
        other._without = self._without - {"decided"}
        return other

    def read(self, query: Query) -> Signals:
        """Score all rules."""
        cards = () if "cards" in self._without else query.cards
        asked = self.stemmer.terms(query.text)
        printed = [self.stemmer.terms("\n".join((card.text, *card.keywords))) for card in cards]
        terms = self.postings.known(asked, _MOST_TERMS)
        lists, shares = self._of_words(terms, query)
        lists |= self._of_cards(terms, printed, query)
        lists["pattern"], lists["pattern_rare"], pointing_card = self._of_patterns(cards)
        lists["topic"], named = self._of_topics([("", asked)])
        on_cards = [(card.name, words) for card, words in zip(cards, printed, strict=True)]
        lists["card_topic"], named_on = self._of_topics(on_cards)
        lists |= self._of_decided(asked, query)
        for part in self._without:
            lists |= dict.fromkeys(PARTS[part], self._zeros())
        # All that can be done before the vectors are waited for.
        orders = {name: order_of(lists[name]) for name in ORDERED if name in lists}
        fused = fuse(orders, self.table.size)
        if "vectors" not in self._without:
            near = self._of_vectors(query.near())
            near_orders = {name: order_of(scores) for name, scores in near.items()}
            fused += fuse(near_orders, self.table.size)
            lists, orders = lists | near, orders | near_orders
        return Signals(
            lists=lists,
            fused=fused,
            orders=orders,
            num_cards=len(cards),
            num_terms=len(asked),
            named={place: stems for place, (_, stems) in named.items()},
            named_on=named_on,
            pointing_card=pointing_card,
            unit_shares=shares,
        )

    def _fields(self, terms: Sequence[int], query: Query) -> Floats:
        postings = self.postings
        scores = postings.field_scores(postings.find(terms, query.without), postings.weights(terms))
        return scores * self._heard

    def _of_words(self, terms: list[int], query: Query) -> tuple[dict[str, Floats], Floats]:
        postings, weights = self.postings, self.postings.weights(terms)
        hits = postings.find(terms, query.without)
        fields = postings.field_scores(hits, weights) * self._heard
        units, shares = postings.unit_scores(hits, weights), postings.unit_shares(hits, weights)
        best = postings.best_by_slot(units) * self._heard
        shared = postings.best_by_slot(units * shares) * self._heard
        said, asks = FIELDS.index("said"), FIELDS.index("asks")
        rest = self._fields(postings.known(self.stemmer.terms(query.rest), _MOST_TERMS), query)
        lists = {f"in_{name}": fields[number] for number, name in enumerate(FIELDS)}
        lists |= {
            "all": self._weights @ fields,
            "ours": self._ours @ fields,
            "rest": self._weights @ rest,
            "best_said": best[said],
            "best_ask": best[asks],
            "shared_said": shared[said],
            "shared_ask": shared[asks],
        }
        return lists, shares

    def _of_cards(self, terms: list[int], printed: list[list[str]], query: Query) -> dict[str, Floats]:
        known = [term for row in printed for term in self.postings.known(row, _MOST_ORACLE_TERMS)]
        distinct = list(dict.fromkeys(known))
        fields = self._fields(distinct, query)
        asked = set(terms)
        more = [term for term in distinct if term not in asked]
        weights = np.concatenate([self.postings.weights(terms), _ORACLE_WEIGHT * self.postings.weights(more)])
        hits = self.postings.find([*terms, *more], query.without)
        both = self._weights @ self.postings.field_scores(hits, weights) if printed else self._zeros()
        names = ("body", "plain", "said", "asks")
        return {"with_oracle": both, **{f"oracle_{name}": fields[FIELDS.index(name)] for name in names}}

    def _of_decided(self, asked: list[str], query: Query) -> dict[str, Floats]:
        if self._decided is None:
            return dict.fromkeys(PARTS["decided"], self._zeros())
        nearest, together = self._decided.scores(asked, query.forgotten)
        return {"asked": nearest, "asked_all": together}

    def _of_patterns(self, cards: Sequence[CardWords]) -> tuple[Floats, Floats, dict[int, str]]:
        """Rules whose patterns stand on a named card: by letters matched, the same shared among the rules
        that have the pattern, and the card."""
        letters, rare = self._zeros(), self._zeros()
        pointing: dict[int, str] = {}
        for card in cards:
            for pattern, places in self._patterns.items():
                if pattern in card.text:
                    letters[places] += len(pattern) ** 1.5
                    rare[places] += len(pattern) ** 1.5 / len(places)
                    pointing |= {place: card.name for place in places if place not in pointing}
        return letters, rare, pointing

    def _of_topics(
        self, texts: Sequence[tuple[str, Sequence[str]]]
    ) -> tuple[Floats, dict[int, tuple[str, Stems]]]:
        """Rules whose name or glossary term stands in one of the (title, terms): by how rare the name's words
        are, with title and name."""
        scores = self._zeros()
        named: dict[int, tuple[str, Stems]] = {}
        numbers, rarity = self.postings.number_of, self.postings.rarity
        for title, terms in texts:
            for place, stems in self.topics.named_in(terms).items():
                weight = sum(float(rarity[numbers[stem]]) for stem in stems if stem in numbers)
                if weight > scores[place]:
                    scores[place], named[place] = weight, (title, stems)
        return scores, named

    def _of_vectors(self, near: NearTexts | None) -> dict[str, Floats]:
        """The likeness of each rule's nearest text, and of its nearest text of each field."""
        lists = {name: self._zeros() for name in PARTS["vectors"]}
        if near is None:
            return lists
        silent = OUR_FIELDS if "digest" in self._without else ()
        heard = [name for name in NEAR_FIELDS if name not in silent]
        kinds = {"near": heard, **{f"near_{name}": [name] for name in heard}}
        for target, fields in kinds.items():
            places = np.flatnonzero(np.isin(near.fields, [FIELDS.index(name) for name in fields]))[::-1]
            # The nearest come first; backwards, the last one written for a rule is its nearest.
            lists[target][near.rules[places]] = np.maximum(near.likeness[places], 0)
        return lists

    def _zeros(self) -> Floats:
        return np.zeros(self.table.size, dtype=np.float32)


def fuse(orders: Mapping[str, Ints], size: int) -> Floats:
    """Reciprocal-rank fusion (Cormack, Clarke and Büttcher 2009) of those of FUSION's lists that are there,
    for `size` rules."""
    fused = np.zeros(size, dtype=np.float32)
    for name, weight in ((name, weight) for name, weight in FUSION.items() if name in orders):
        best = orders[name][:_FUSED_DEPTH]
        fused[best] += weight / (RANK_OFFSET + 1 + np.arange(len(best), dtype=np.float32))
    return fused


def order_of(scores: Floats) -> Ints:
    """Return the positions of the scores above 0, best first; equals in document order."""
    found = np.flatnonzero(scores > 0)
    return found[np.argsort(-scores[found], kind="stable")]


def fused_order(signals: Signals, limit: int) -> list[tuple[int, float]]:
    """Return (position, fused score) of the best rules, best first."""
    return [(int(place), float(signals.fused[place])) for place in order_of(signals.fused)[:limit]]
