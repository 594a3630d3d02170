"""Training the router: multinomial logistic regression on queries of our own, in numpy alone.

The regression is solved in its dual form: with fewer queries than features, the queries' inner products are
all it needs, and every fold of the cross-validation is a part of one table of them. Folds never part a group:
all queries about one situation are learned from together or asked together.

With the queries' sentence vectors the same regression gives the stronger model: their inner products are
added to those of the features.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.errors import ImportFileError, NotSetUpError
from hexcore_engine.models.router_features import features_of
from hexcore_engine.models.router_model import RouterModel, Scores, block_value, hashes
from hexcore_engine.protocol.records import MODE_NAMES
from hexcore_engine.training.calibration import fit_temperature, fit_thresholds
from hexcore_engine.utils.validation import clean_line

Vectors: TypeAlias = NDArray[np.float32]

ROUTER_DATA_FILE = Path(__file__).parent / "data" / "router_train.jsonl"
ROUTER_SEEDS = (1, 2, 3)
ROUTER_FOLDS = 5
PENALTY = 5e-5
# What the sentence vector's inner product counts beside that of the features, which is 5.4 with itself.
MEANING_SAY = 3.0
ITERATIONS = 300
# What stands in one query only is not stored: it weighs next to nothing and is half of all features.
LEAST_QUERIES = 2
_POWER_STEPS = 12
_LINE_FORM = 'Each line is one JSON object with "question" and "mode".'


@dataclass(frozen=True)
class LabelledQuery:
    """A query and the mode that should answer it; queries of one `group` are about one situation."""

    question: str
    mode: str
    group: str = ""
    misleading: bool = False


@dataclass(frozen=True)
class TrainedRouter:
    """The model, and for each seed the scores [queries, modes] of each query by a model that knew no query of
    its group."""

    model: RouterModel
    queries: tuple[LabelledQuery, ...]
    labels: NDArray[np.intp]
    held_out: tuple[Scores, ...]


def read_queries(file: Path) -> tuple[LabelledQuery, ...]:
    """Read labelled queries, one JSON object a line: `question` (or `query`), `mode`, optionally `group` and
    `misleading`.

    Raises:
        ImportFileError: when the file can't be read, or naming the line that is something else.
    """
    name = clean_line(str(file))
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8"
        raise ImportFileError(f"{name} can't be read: {reason}.", _LINE_FORM) from error
    queries = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            queries.append(_query(json.loads(line)))
        except (ValueError, RecursionError) as error:
            raise ImportFileError(f"{name}, line {number}: {clean_line(str(error))}.", _LINE_FORM) from error
    return tuple(queries)


def _query(row: object) -> LabelledQuery:
    if not isinstance(row, dict):
        raise ValueError("it is no JSON object")
    question = row.get("question", row.get("query"))
    if not isinstance(question, str):
        raise ValueError("it has no question")
    if row.get("mode") not in MODE_NAMES:
        raise ValueError(f"there is no mode {row['mode']!r}" if "mode" in row else "it has no mode")
    return LabelledQuery(question, row["mode"], str(row.get("group", "")), bool(row.get("misleading", False)))


def train_router(queries: Sequence[LabelledQuery], vectors: Vectors | None = None) -> TrainedRouter:
    """Train on all queries; temperature and thresholds come from queries held out by group. With the sentence
    vectors [queries, WIDTH] it is the stronger model.

    Raises:
        NotSetUpError: when there are too few queries to hold any out.
    """
    if len({query.group for query in queries}) < ROUTER_FOLDS:
        raise NotSetUpError(f"Training needs queries of at least {ROUTER_FOLDS} groups.")
    labels = np.array([MODE_NAMES.index(query.mode) for query in queries])
    table = _FeatureTable(queries)
    products = table.products()
    if vectors is not None:
        products += np.float32(MEANING_SAY) * (vectors @ vectors.T)
    groups = [query.group for query in queries]
    held_out = tuple(_held_out(products, labels, groups, seed) for seed in ROUTER_SEEDS)
    scores, repeated = np.concatenate(held_out), np.tile(labels, len(ROUTER_SEEDS))
    temperature = fit_temperature(scores, repeated)
    thresholds = fit_thresholds(scores / temperature, repeated)
    duals = fit_duals(products, labels)
    meaning = np.float32(MEANING_SAY) * (vectors.T @ duals) if vectors is not None else None
    model = RouterModel(table.keys, table.weights(duals), temperature, thresholds, meaning)
    return TrainedRouter(model, tuple(queries), labels, held_out)


class _FeatureTable:
    """Which queries have which features; a column a feature."""

    def __init__(self, queries: Sequence[LabelledQuery]) -> None:
        self._rows = [
            [
                (hashes(block, names), block_value(block, max(1, len(names))))
                for block, names in features_of(query.question).items()
            ]
            for query in queries
        ]
        found, counts = np.unique(
            np.concatenate([hashed for row in self._rows for hashed, _ in row]), return_counts=True
        )
        self.keys: NDArray[np.uint32] = found[counts >= LEAST_QUERIES]

    def products(self) -> NDArray[np.float32]:
        """Return the queries' inner products [queries, queries]."""
        values = np.zeros((len(self._rows), len(self.keys)), dtype=np.float32)
        for row, (columns, known) in enumerate(map(self._columns, self._rows)):
            values[row, columns] = known
        return values @ values.T

    def weights(self, duals: NDArray[np.float32]) -> NDArray[np.float16]:
        """Return the weights [features, modes] of a regression given in its dual form."""
        total = np.zeros((len(self.keys), len(MODE_NAMES)))
        for row, (columns, known) in enumerate(map(self._columns, self._rows)):
            total[columns] += known[:, None] * duals[row]
        return total.astype(np.float16)

    def _columns(
        self, row: list[tuple[NDArray[np.uint32], float]]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        wanted = np.concatenate([hashed for hashed, _ in row])
        values = np.repeat([value for _, value in row], [len(hashed) for hashed, _ in row])
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        known = self.keys[places] == wanted
        return places[known], values[known]


def fit_duals(products: NDArray[np.float32], labels: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the dual weights [queries, modes] by Nesterov's accelerated descent."""
    wanted = np.eye(len(MODE_NAMES), dtype=np.float32)[labels]
    step = np.float32(1 / (0.5 * _largest_eigenvalue(products) / len(labels) + PENALTY))
    duals = ahead = np.zeros_like(wanted)
    momentum = 1.0
    for _ in range(ITERATIONS):
        scores = products @ ahead
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        errors = raised / raised.sum(axis=1, keepdims=True) - wanted
        moved = ahead - step * (errors / len(labels) + np.float32(PENALTY) * ahead)
        grown = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = moved + np.float32((momentum - 1) / grown) * (moved - duals)
        duals, momentum = moved, grown
    return duals


def _largest_eigenvalue(products: NDArray[np.float32]) -> float:
    """A little more than it, by the power method."""
    vector = np.ones(len(products), dtype=np.float32)
    size = 1.0
    for _ in range(_POWER_STEPS):
        vector = products @ vector
        size = float(np.linalg.norm(vector))
        vector /= size
    return 1.1 * size


def _held_out(
    products: NDArray[np.float32], labels: NDArray[np.intp], groups: Sequence[str], seed: int
) -> Scores:
    scores = np.zeros((len(labels), len(MODE_NAMES)))
    for rest, fold in folds_by_group(groups, seed):
        duals = fit_duals(products[np.ix_(rest, rest)], labels[rest])
        scores[fold] = products[np.ix_(fold, rest)] @ duals
    return scores


def folds_by_group(groups: Sequence[str], seed: int) -> list[tuple[list[int], list[int]]]:
    """Return (rest, fold) of places: whole groups, dealt out in a random order fixed by the seed."""
    names = sorted(set(groups))
    random.Random(seed).shuffle(names)  # noqa: S311 - a reproducible order, no secret
    fold_of = {name: place % ROUTER_FOLDS for place, name in enumerate(names)}
    members: list[list[int]] = [[] for _ in range(ROUTER_FOLDS)]
    for place, group in enumerate(groups):
        members[fold_of[group]].append(place)
    everything = set(range(len(groups)))
    return [(sorted(everything - set(fold)), fold) for fold in members]
