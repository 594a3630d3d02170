"""Training the ranker: LambdaMART over the retriever's candidates, on questions of our own.

Only candidates the lists found are learned from: a deciding rule put in from outside would teach that bad
ranks are good. What is known of other questions (how often a rule decided them, which of them are alike) is
taken from other topics than the question's own, both here and when the figures of the run card are measured.
Where there are vectors each question is learned from twice, with them and without, so that one ranker serves
both machines (measured: docs/development/log.md).
Needs the extra `train` (lightgbm), which nothing imports at run time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.errors import NotSetUpError, UsageError
from hexcore_engine.evaluation.questions import EvaluationQuestion, num_found, read_questions
from hexcore_engine.knowledge.index.base import VectorIndex, no_near_texts
from hexcore_engine.knowledge.index.decided_questions import DecidedQuestion, index_decided
from hexcore_engine.knowledge.index.features import Priors, candidates_of, feature_matrix
from hexcore_engine.knowledge.index.ranker import CANDIDATES, Ranker
from hexcore_engine.knowledge.index.signals import Query, SignalReader
from hexcore_engine.knowledge.index.trees import TreeEnsemble
from hexcore_engine.knowledge.retriever import HybridRetriever
from hexcore_engine.training.exported_trees import ensemble_of

DATA_FILE = Path(__file__).parent / "data" / "questions_train.jsonl"
SEEDS = (1, 2, 3)
NUM_TREES = 200
FOLDS = 5
CUTOFFS = (5, 10, 20, 50)
# The rules' own examples speak otherwise than people do: enough that the rules' language is learned too, not
# so much that it decides how people's questions are ranked.
EXAMPLE_WEIGHT = 0.3
PARAMETERS: dict[str, Any] = {
    "objective": "lambdarank",
    "learning_rate": 0.05,
    "num_leaves": 8,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "lambdarank_truncation_level": 30,
    "max_bin": 63,
    "deterministic": True,
    "force_row_wise": True,
    # More threads than free cores make it five times slower, not quicker.
    "num_threads": 1,
    "verbose": -1,
}


@dataclass(frozen=True)
class Example:
    """One question as the retriever takes it, and as it is remembered."""

    question: EvaluationQuestion
    query: Query
    decided: DecidedQuestion


@dataclass(frozen=True)
class RuleExample:
    """One of the release's own examples, asked as if it were not written, and the rule it illustrates."""

    rule: str
    query: Query


@dataclass(frozen=True)
class Rows:
    """One question's candidates (positions), their features, and which of them decide it."""

    candidates: NDArray[np.int64]
    features: NDArray[np.float32]
    gold: NDArray[np.int8]
    weight: float = 1.0


@dataclass(frozen=True)
class TrainedRanker:
    """What training gave; `scores` holds cross-validated recall by cut-off, "without_vectors" and, where
    there are some, "with_vectors"."""

    ranker: Ranker
    scores: dict[str, dict[str, float]]
    num_questions: int
    num_rule_examples: int


class RankerTrainer:
    """Trains on the questions of one file with the lists of one release."""

    def __init__(
        self, reader: SignalReader, examples: Sequence[Example], rule_examples: Sequence[RuleExample] = ()
    ) -> None:
        self._examples = examples
        self._rule_examples = rule_examples
        self._table = reader.table
        has_vectors = any(example.query.near() is not None for example in examples)
        self._ways = (True, False) if has_vectors else (False,)
        decided = index_decided([example.decided for example in examples], reader.table)
        self._reader = reader.remembering(decided)

    @property
    def num_questions(self) -> int:
        """How many questions there are."""
        return len(self._examples)

    @property
    def num_rule_examples(self) -> int:
        """How many of the release's own examples there are."""
        return len(self._rule_examples)

    def train(self) -> Ranker:
        """Return the ranker of all questions."""
        everything = list(range(len(self._examples)))
        trees = boost(self._all_rows(everything), SEEDS)
        decided = tuple(example.decided for example in self._examples)
        return Ranker(trees, self._priors(everything), decided)

    def cross_validate(self) -> dict[str, dict[str, float]]:
        """Return mean recall at each cut-off of questions of topics that nothing learned from: without
        vectors, and with them where there are some."""
        everything = list(range(len(self._examples)))
        totals = {vectors: dict.fromkeys(CUTOFFS, 0.0) for vectors in self._ways}
        for known, asked in self._folds(everything):
            trees = boost(self._all_rows(known), SEEDS[:1])
            priors = self._priors(known)
            for vectors, place in product(self._ways, asked):
                ranked = self._order(trees, self._rows(place, asked, priors, vectors))
                wanted = self._examples[place].question.rules
                for limit in CUTOFFS:
                    totals[vectors][limit] += num_found(wanted, ranked, limit) / len(set(wanted))
        return {
            "with_vectors" if vectors else "without_vectors": {
                str(limit): round(total / len(everything), 4) for limit, total in found.items()
            }
            for vectors, found in totals.items()
        }

    def _all_rows(self, places: Sequence[int]) -> list[Rows]:
        return [
            row
            for vectors in self._ways
            for row in (*self.training_rows(places, vectors), *self.example_rows(places, vectors))
        ]

    def training_rows(self, places: Sequence[int], vectors: bool = False) -> list[Rows]:
        """Return the rows of some questions, each seen without what its own topic taught."""
        outside = set(range(len(self._examples))) - set(places)
        rows = []
        for known, asked in self._folds(places):
            priors = self._priors(known)
            rows += [self._rows(place, [*outside, *asked], priors, vectors) for place in asked]
        return [found for found in rows if found.gold.any()]

    def example_rows(self, places: Sequence[int], vectors: bool = False) -> list[Rows]:
        """Return the rows of the release's own examples, for which only the questions `places` are known:
        the same rules in the rules' own language, so that no way of asking is learned alone."""
        outside = sorted(set(range(len(self._examples))) - set(places))
        priors = self._priors(places)
        rows = (
            replace(
                self._rows_of(_asked(example.query, outside, vectors), (example.rule,), priors),
                weight=EXAMPLE_WEIGHT,
            )
            for example in self._rule_examples
        )
        return [found for found in rows if found.gold.any()]

    def _rows(self, place: int, forgotten: Sequence[int], priors: Priors, vectors: bool) -> Rows:
        example = self._examples[place]
        return self._rows_of(_asked(example.query, forgotten, vectors), example.question.rules, priors)

    def _rows_of(self, query: Query, rules: Sequence[str], priors: Priors) -> Rows:
        signals = self._reader.read(query)
        candidates = candidates_of(signals, CANDIDATES)
        gold = [self._table.position[rule] for rule in rules if rule in self._table.position]
        features = feature_matrix(self._table, signals, candidates, priors)
        return Rows(candidates, features, np.isin(candidates, gold).astype(np.int8))

    def _order(self, trees: TreeEnsemble, rows: Rows) -> list[str]:
        order = np.argsort(-trees.scores(rows.features), kind="stable")
        return [self._table.numbers[position] for position in rows.candidates[order].tolist()]

    def _priors(self, places: Sequence[int]) -> Priors:
        return learn_priors([self._examples[place].question for place in places])

    def _folds(self, places: Sequence[int]) -> list[tuple[list[int], list[int]]]:
        topics = [self._examples[place].question.topic or str(place) for place in places]
        return [
            ([places[at] for at in known], [places[at] for at in asked])
            for known, asked in folds_by_topic(topics)
        ]


def train_ranker(
    knowledge_folder: Path, data_file: Path = DATA_FILE, vector_index: VectorIndex | None = None
) -> TrainedRanker:
    """Train on all questions of a file and report what cross-validation found. Without an index of vectors
    the ranker does not learn to use them.

    Raises:
        UsageError: when the extra `train` is not installed.
        NotSetUpError: when there is no rules release to retrieve from.
    """
    _require_lightgbm()
    trainer = open_trainer(knowledge_folder, data_file, vector_index)
    scores = trainer.cross_validate()
    return TrainedRanker(trainer.train(), scores, trainer.num_questions, trainer.num_rule_examples)


def open_trainer(
    folder: Path, data_file: Path = DATA_FILE, vector_index: VectorIndex | None = None
) -> RankerTrainer:
    """Return a trainer on the questions of a file and the examples of the current release.

    Raises:
        NotSetUpError: when there is no rules release to retrieve from.
        ImportFileError: when the file can't be read.
    """
    with closing(HybridRetriever(folder, vector_index, without=("ranker", "decided"))) as retriever:
        return _trainer_of(retriever, read_questions(data_file))


def _trainer_of(retriever: HybridRetriever, questions: Sequence[EvaluationQuestion]) -> RankerTrainer:
    reader: SignalReader | None = None
    examples = []
    for question in questions:
        prepared = retriever.prepare(question.question)
        if prepared is None:
            raise NotSetUpError("There are no rules to retrieve from.")
        reader, query = prepared
        decided = DecidedQuestion(tuple(reader.stemmer.terms(query.text)), question.rules)
        examples.append(Example(question, query, decided))
    rule_examples = [
        RuleExample(number, prepared[1])
        for number, place, text in retriever.examples()
        if (prepared := retriever.prepare(text, (number, place))) is not None
    ]
    if reader is None:
        raise NotSetUpError("There are no questions to learn from.")
    return RankerTrainer(reader, examples, rule_examples)


def _asked(query: Query, forgotten: Sequence[int], vectors: bool) -> Query:
    return replace(query, forgotten=forgotten, near=query.near if vectors else no_near_texts)


def boost(rows: Sequence[Rows], seeds: Sequence[int]) -> TreeEnsemble:
    """Return one ensemble of all seeds' trees."""
    import lightgbm

    features = np.concatenate([found.features for found in rows])
    labels = np.concatenate([found.gold for found in rows])
    sizes = [len(found.candidates) for found in rows]
    weights = np.repeat([found.weight for found in rows], sizes)
    trees = []
    for seed in seeds:
        dataset = lightgbm.Dataset(features, labels, group=sizes, weight=weights)
        booster = lightgbm.train({**PARAMETERS, "seed": seed}, dataset, NUM_TREES)
        trees += [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    return ensemble_of(trees, scale=1 / len(seeds))


def learn_priors(questions: Sequence[EvaluationQuestion]) -> Priors:
    """Return how often each rule and group decided these questions, as log(1 + questions in a thousand)."""
    rules = Counter(rule for question in questions for rule in question.rules)
    groups = Counter(int(rule[:3]) for question in questions for rule in question.rules)
    scale = 1000 / max(1, len(questions))
    return Priors(
        {rule: float(np.log1p(count * scale)) for rule, count in sorted(rules.items())},
        {group: float(np.log1p(count * scale)) for group, count in sorted(groups.items())},
    )


def folds_by_topic(topics: Sequence[str]) -> list[tuple[list[int], list[int]]]:
    """Return (rest, fold) of places: whole topics in folds of about the same size."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, topic in enumerate(topics):
        places[topic].append(place)
    folds: list[list[int]] = [[] for _ in range(FOLDS)]
    for topic in sorted(places, key=lambda topic: (-len(places[topic]), topic)):
        min(folds, key=len).extend(places[topic])
    filled = [fold for fold in folds if fold]
    return [(sorted(set(range(len(topics))) - set(fold)), sorted(fold)) for fold in filled]


def _require_lightgbm() -> None:
    import importlib.util

    if importlib.util.find_spec("lightgbm") is None:
        raise UsageError(
            "Training the ranker needs lightgbm, which is not installed.",
            "Install it with `make setup EXTRAS=train`.",
        )
