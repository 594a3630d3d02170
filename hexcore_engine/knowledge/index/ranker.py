"""The learned ranker: trees over features, with what was learned of the questions people ask.

Its weights lie beside this module with a run card; `hexcore train ranker` makes them. Without them, or with
weights of another form, the fused order stands.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hexcore_engine.knowledge.index.decided_questions import DecidedQuestion
from hexcore_engine.knowledge.index.features import FEATURES, Priors, candidates_of, feature_matrix
from hexcore_engine.knowledge.index.rule_table import RuleTable
from hexcore_engine.knowledge.index.signals import Signals
from hexcore_engine.knowledge.index.trees import TreeEnsemble

logger = logging.getLogger(__name__)
FOLDER = Path(__file__).parent / "weights"
WEIGHTS_NAME = "ranker.npz"
CARD_NAME = "ranker.json"
CANDIDATES = 250


@dataclass(frozen=True)
class Ranker:
    """Orders the best fused rules of a question anew; `decided` are questions to compare it with."""

    trees: TreeEnsemble
    priors: Priors
    decided: tuple[DecidedQuestion, ...] = ()

    def order(self, table: RuleTable, signals: Signals) -> list[tuple[int, float]]:
        """Return (position, score), best first; scores fall from 1 to 0."""
        candidates = candidates_of(signals, CANDIDATES)
        if not len(candidates):
            return []
        scores = self.trees.scores(feature_matrix(table, signals, candidates, self.priors))
        order = np.argsort(-scores, kind="stable")
        spread = float(np.ptp(scores)) or 1.0
        low = float(scores.min())
        return [(int(candidates[place]), (float(scores[place]) - low) / spread) for place in order]

    def save(self, file: Path) -> None:
        """Write the weights, without pickle."""
        arrays: dict[str, Any] = {f"trees_{name}": array for name, array in self.trees.arrays().items()}
        rules, groups = self.priors.rules, self.priors.groups
        lines = (f"{' '.join(known.rules)}\t{' '.join(known.terms)}" for known in self.decided)
        np.savez_compressed(
            file,
            features=_packed("\n".join(FEATURES)),
            prior_rules=_packed("\n".join(rules)),
            prior_rule_values=np.array(list(rules.values()), dtype=np.float32),
            prior_groups=np.array(list(groups), dtype=np.int16),
            prior_group_values=np.array(list(groups.values()), dtype=np.float32),
            decided=_packed("\n".join(lines)),
            **arrays,
        )


def load_ranker(folder: Path = FOLDER) -> Ranker | None:
    """Return the ranker, None where there is none for this version's features."""
    try:
        with np.load(folder / WEIGHTS_NAME, allow_pickle=False) as stored:
            if _unpacked(stored["features"]) != list(FEATURES):
                return None
            trees = TreeEnsemble(*(stored[f"trees_{name}"] for name in TreeEnsemble.ARRAYS))
            rules = zip(_unpacked(stored["prior_rules"]), stored["prior_rule_values"].tolist(), strict=True)
            groups = zip(stored["prior_groups"].tolist(), stored["prior_group_values"].tolist(), strict=True)
            pairs = (line.split("\t") for line in _unpacked(stored["decided"]))
            decided = [
                DecidedQuestion(tuple(terms.split()), tuple(numbers.split())) for numbers, terms in pairs
            ]
            return Ranker(trees, Priors(dict(rules), dict(groups)), tuple(decided))
    except FileNotFoundError:
        return None
    except Exception as error:
        # What a damaged archive makes zipfile and numpy raise has no end.
        logger.warning("the ranker's weights in %s are damaged, the fused order stands: %s", folder, error)
        return None


def _packed(text: str) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _unpacked(array: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> list[str]:
    text = array.tobytes().decode()
    return text.split("\n") if text else []
