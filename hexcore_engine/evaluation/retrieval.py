"""How many of the deciding rules retrieval finds, how fast, and how well cards are recognised."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hexcore_engine.evaluation.questions import EvaluationQuestion, num_found
from hexcore_engine.knowledge.retriever import HybridRetriever
from hexcore_engine.protocol.records import Record
from hexcore_engine.utils.validation import fold

CUTOFFS = (5, 10, 20, 50)
_SIGNS = re.compile(r"[^a-z0-9]+")


class RetrievalReport(Record, frozen=True):
    """Means over questions of the share of deciding rules found among the first k; times in milliseconds.

    `card_linking_recall` is None where no question names a card. `by_topic` is recall at 20.
    """

    recall: dict[str, float]
    mrr: float
    latency_ms: dict[str, float]
    by_topic: dict[str, float]
    card_linking_recall: float | None
    questions: int


@dataclass(frozen=True)
class _Answer:
    question: EvaluationQuestion
    ranked: list[str]
    elapsed_ms: float
    num_cards_linked: int


def evaluate(retriever: HybridRetriever, questions: Sequence[EvaluationQuestion]) -> RetrievalReport:
    """Ask every question; only its words reach the retriever."""
    # The first query reads the tables; a person's first question finds them read, too.
    retriever.ranked_rules(questions[0].question, 1)
    return report([_ask(retriever, question) for question in questions])


def evaluate_examples(retriever: HybridRetriever) -> RetrievalReport | None:
    """Ask with each of the release's own examples, which counts as not written meanwhile: is the rule it
    illustrates found? None when the release has no examples."""
    examples = retriever.examples()
    if not examples:
        return None
    retriever.ranked_rules(examples[0][2], 1)
    return report(
        [
            _ask(retriever, EvaluationQuestion(text, (number,)), (number, place))
            for number, place, text in examples
        ]
    )


def _ask(
    retriever: HybridRetriever, question: EvaluationQuestion, example: tuple[str, int] | None = None
) -> _Answer:
    started = time.perf_counter()
    ranked = [number for number, _ in retriever.ranked_rules(question.question, max(CUTOFFS), example)]
    elapsed_ms = (time.perf_counter() - started) * 1000
    named = [_plain(name) for name in retriever.named_cards(question.question)] if question.cards else []
    linked = sum(any(_is_called(card, name) for name in named) for card in question.cards)
    return _Answer(question, ranked, elapsed_ms, linked)


def report(answers: Sequence[_Answer]) -> RetrievalReport:
    """Return the figures of some answers."""
    recall = {str(limit): _mean([_recall(answer, limit) for answer in answers]) for limit in CUTOFFS}
    topics: defaultdict[str, list[float]] = defaultdict(list)
    for answer in answers:
        if answer.question.topic:
            topics[answer.question.topic].append(_recall(answer, 20))
    times = sorted(answer.elapsed_ms for answer in answers)
    num_cards = sum(len(answer.question.cards) for answer in answers)
    linked = sum(answer.num_cards_linked for answer in answers)
    return RetrievalReport(
        recall=recall,
        mrr=_mean([_reciprocal_rank(answer) for answer in answers]),
        latency_ms={"p50": _percentile(times, 0.5), "p99": _percentile(times, 0.99)},
        by_topic={topic: _mean(values) for topic, values in sorted(topics.items())},
        card_linking_recall=linked / num_cards if num_cards else None,
        questions=len(answers),
    )


def _recall(answer: _Answer, limit: int) -> float:
    return num_found(answer.question.rules, answer.ranked, limit) / len(set(answer.question.rules))


def _reciprocal_rank(answer: _Answer) -> float:
    places = (place for place, rule in enumerate(answer.ranked, 1) if rule in answer.question.rules)
    return 1 / next(places, float("inf"))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _plain(name: str) -> str:
    return _SIGNS.sub(" ", fold(name)).strip()


def _is_called(wanted: str, linked: str) -> bool:
    """Whether a linked card's full name holds the wanted one, a face's name being enough."""
    return f" {_plain(wanted)} " in f" {linked} "
