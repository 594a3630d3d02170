"""The learned ranker: trees over features, with what was learned of rules people ask about.

Its weights lie beside this module with a run card; `hexcore train ranker` makes them. Without them, or with
weights of another form, the fused order stands.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hexcore_engine.knowledge.index.features import FEATURES, Priors, candidates_of, feature_matrix
from hexcore_engine.knowledge.index.rule_table import RuleTable
from hexcore_engine.knowledge.index.signals import Signals
from hexcore_engine.knowledge.index.trees import TreeEnsemble, load_trees

FOLDER = Path(__file__).parent / "weights"
TREES_NAME = "ranker.npz"
CARD_NAME = "ranker.json"
CANDIDATES = 250


@dataclass(frozen=True)
class Ranker:
    """Orders the best fused rules of a question anew."""

    trees: TreeEnsemble
    priors: Priors

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


def load_ranker(folder: Path = FOLDER) -> Ranker | None:
    """Return the ranker, None where there is none for this version's features."""
    try:
        card = json.loads((folder / CARD_NAME).read_text("utf-8"))
        if card["features"] != list(FEATURES):
            return None
        priors = Priors(card["priors"]["rules"], {int(g): v for g, v in card["priors"]["groups"].items()})
        return Ranker(load_trees(folder / TREES_NAME), priors)
    except (OSError, ValueError, KeyError):
        return None
