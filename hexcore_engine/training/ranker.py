"""Training the ranker: LambdaMART over the retriever's candidates, on questions of our own.

Only candidates the lists found are learned from: a deciding rule put in from outside would teach that bad
ranks are good. What is known of often asked rules is taken from other questions than the one it is used for.
Needs the extra `train` (lightgbm), which nothing imports at run time.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.errors import NotSetUpError, UsageError
from hexcore_engine.evaluation.questions import EvaluationQuestion, num_found, read_questions
from hexcore_engine.knowledge.index.features import FEATURES, Priors, candidates_of, feature_matrix
from hexcore_engine.knowledge.index.ranker import CANDIDATES, CARD_NAME, TREES_NAME
from hexcore_engine.knowledge.index.rule_table import RuleTable
from hexcore_engine.knowledge.index.signals import Signals
from hexcore_engine.knowledge.index.trees import MAX_LEAVES, TreeEnsemble
from hexcore_engine.knowledge.retriever import HybridRetriever

DATA_FILE = Path(__file__).parent / "data" / "questions_train.jsonl"
SEEDS = (1, 2, 3)
NUM_TREES = 200
FOLDS = 5
CUTOFFS = (5, 10, 20, 50)
_SHUFFLE_SEED = 7
PARAMETERS: dict[str, Any] = {
    "objective": "lambdarank",
    "learning_rate": 0.05,
    "num_leaves": 7,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "lambdarank_truncation_level": 60,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}


@dataclass(frozen=True)
class Example:
    """One question as the retriever sees it. `gold` are positions of deciding rules among all rules."""

    question: EvaluationQuestion
    signals: Signals
    gold: frozenset[int]


@dataclass(frozen=True)
class TrainedRanker:
    """What training gave; `scores` holds cross-validated recall by cut-off."""

    trees: TreeEnsemble
    priors: Priors
    scores: dict[str, float]
    num_questions: int


def train_ranker(knowledge_folder: Path, data_file: Path = DATA_FILE) -> TrainedRanker:
    """Train on all questions of a file and report what cross-validation found.

    Raises:
        UsageError: when the extra `train` is not installed.
        NotSetUpError: when there is no rules release to retrieve from.
    """
    _require_lightgbm()
    table, examples = _read_examples(knowledge_folder, data_file)
    scores = cross_validate(table, examples)
    trees, priors = fit(table, examples)
    return TrainedRanker(trees, priors, scores, len(examples))


def save_ranker(trained: TrainedRanker, folder: Path, data_file: Path = DATA_FILE) -> None:
    """Write weights and run card."""
    folder.mkdir(parents=True, exist_ok=True)
    trained.trees.save(folder / TREES_NAME)
    card = {
        "made": time.strftime("%Y-%m-%d", time.gmtime()),
        "data_sha256": hashlib.sha256(data_file.read_bytes()).hexdigest(),
        "num_questions": trained.num_questions,
        "seeds": list(SEEDS),
        "num_trees": NUM_TREES,
        "parameters": PARAMETERS,
        "cross_validated_recall": trained.scores,
        "features": list(FEATURES),
        "priors": {
            "rules": {rule: round(value, 4) for rule, value in sorted(trained.priors.rules.items())},
            "groups": {str(group): round(value, 4) for group, value in sorted(trained.priors.groups.items())},
        },
    }
    (folder / CARD_NAME).write_text(json.dumps(card, indent=1) + "\n", "utf-8")


def cross_validate(table: RuleTable, examples: Sequence[Example]) -> dict[str, float]:
    """Return mean recall at each cut-off of questions no tree and no prior has seen."""
    totals: dict[int, float] = dict.fromkeys(CUTOFFS, 0.0)
    for train, test in _folds(len(examples)):
        trees, priors = fit(table, [examples[place] for place in train], SEEDS[:1])
        for place in test:
            ranked = _order(table, trees, priors, examples[place].signals)
            wanted = examples[place].question.rules
            for limit in CUTOFFS:
                totals[limit] += num_found(wanted, ranked, limit) / len(set(wanted))
    return {str(limit): round(total / len(examples), 4) for limit, total in sorted(totals.items())}


def fit(
    table: RuleTable, examples: Sequence[Example], seeds: Sequence[int] = SEEDS
) -> tuple[TreeEnsemble, Priors]:
    """Return one ensemble of all seeds' trees, and the priors of all examples."""
    import lightgbm

    priors_of: dict[int, Priors] = {}
    for train, test in _folds(len(examples)):
        known = learn_priors([examples[place].question for place in train])
        priors_of |= dict.fromkeys(test, known)
    rows, labels, sizes = [], [], []
    for place, example in enumerate(examples):
        candidates = candidates_of(example.signals, CANDIDATES)
        if not len(candidates):
            continue
        rows.append(feature_matrix(table, example.signals, candidates, priors_of[place]))
        labels.append(np.isin(candidates, list(example.gold)).astype(np.int8))
        sizes.append(len(candidates))
    data = (np.concatenate(rows), np.concatenate(labels))
    trees = []
    for seed in seeds:
        dataset = lightgbm.Dataset(data[0], data[1], group=sizes)
        booster = lightgbm.train({**PARAMETERS, "seed": seed}, dataset, NUM_TREES)
        trees += [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    return ensemble_of(trees, scale=1 / len(seeds)), learn_priors([example.question for example in examples])


def learn_priors(questions: Sequence[EvaluationQuestion]) -> Priors:
    """Return how often each rule and group decided these questions, as log(1 + questions in a thousand)."""
    rules = Counter(rule for question in questions for rule in question.rules)
    groups = Counter(int(rule[:3]) for question in questions for rule in question.rules)
    scale = 1000 / max(1, len(questions))
    return Priors(
        {rule: float(np.log1p(count * scale)) for rule, count in rules.items()},
        {group: float(np.log1p(count * scale)) for group, count in groups.items()},
    )


def ensemble_of(trees: Sequence[dict[str, Any]], scale: float) -> TreeEnsemble:
    """Return trees as lightgbm dumps them in the form numpy walks; leaf values are multiplied by `scale`."""
    shape = (len(trees), MAX_LEAVES - 1)
    feature = np.zeros(shape, dtype=np.int16)
    threshold = np.full(shape, np.inf, dtype=np.float32)
    left_out = np.zeros(shape, dtype=np.uint8)
    value = np.zeros((len(trees), MAX_LEAVES), dtype=np.float32)
    for place, tree in enumerate(trees):
        tests: list[tuple[int, float, int]] = []
        leaves: list[float] = []
        _read_tree(tree, tests, leaves)
        value[place, : len(leaves)] = np.array(leaves) * scale
        for number, (column, limit, mask) in enumerate(tests):
            feature[place, number], threshold[place, number] = column, limit
            left_out[place, number] = mask
    return TreeEnsemble(feature, threshold, left_out, value)


def _read_tree(node: dict[str, Any], tests: list[tuple[int, float, int]], leaves: list[float]) -> None:
    """Collect leaves from left to right, and for each test the leaves on its left as bits."""
    if "leaf_value" in node:
        leaves.append(node["leaf_value"])
        return
    first = len(leaves)
    _read_tree(node["left_child"], tests, leaves)
    mask = (1 << len(leaves)) - (1 << first)
    tests.append((node["split_feature"], node["threshold"], mask))
    _read_tree(node["right_child"], tests, leaves)


def _order(table: RuleTable, trees: TreeEnsemble, priors: Priors, signals: Signals) -> list[str]:
    candidates = candidates_of(signals, CANDIDATES)
    if not len(candidates):
        return []
    scores = trees.scores(feature_matrix(table, signals, candidates, priors))
    return [table.numbers[position] for position in candidates[np.argsort(-scores, kind="stable")].tolist()]


def _folds(size: int) -> list[tuple[list[int], list[int]]]:
    order: NDArray[np.int64] = np.random.default_rng(_SHUFFLE_SEED).permutation(size)
    folds = []
    for fold in range(FOLDS):
        test = order[fold::FOLDS]
        folds.append((np.setdiff1d(order, test).tolist(), test.tolist()))
    return folds


def _read_examples(folder: Path, data_file: Path) -> tuple[RuleTable, list[Example]]:
    retriever = HybridRetriever(folder, without=frozenset({"ranker"}))
    table: RuleTable | None = None
    examples = []
    for question in read_questions(data_file):
        found = retriever.signals(question.question)
        if found is None:
            raise NotSetUpError("There are no rules to retrieve from.")
        table, signals = found
        gold = frozenset(table.position[rule] for rule in question.rules if rule in table.position)
        examples.append(Example(question, signals, gold))
    retriever.close()
    if table is None:
        raise NotSetUpError("There are no questions to learn from.")
    return table, examples


def _require_lightgbm() -> None:
    import importlib.util

    if importlib.util.find_spec("lightgbm") is None:
        raise UsageError(
            "Training the ranker needs lightgbm, which is not installed.",
            "Install it with `make setup EXTRAS=train`.",
        )
