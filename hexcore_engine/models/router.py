"""Choosing one of the five modes for a question.

A small trained classifier whose weights lie beside this module with a run card; `hexcore train router` makes
them. Importing this costs nothing: weights and numpy are loaded with the first question.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hexcore_engine.protocol.records import MODE_NAMES, ModeChoice, ModeName, ModeProbability

if TYPE_CHECKING:
    from hexcore_engine.models.router_model import RouterModel

FOLDER = Path(__file__).parent / "weights"
WEIGHTS_NAME = "router.npz"
CARD_NAME = "router.json"


class TransactionClassifier:
    """Says which mode a question asks for, and how sure it is."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._file = folder / WEIGHTS_NAME
        self._model: RouterModel | None = None

    def classify(self, question: str) -> ModeChoice:
        """Return the best mode with all five ranked; `abstained` when none stands out.

        Raises:
            RoutingError: when the weights are missing or damaged.
        """
        if self._model is None:
            from hexcore_engine.models.router_model import load_model

            self._model = load_model(self._file)
        ranked = _ranked(self._model.probabilities(question).tolist())
        threshold = float(self._model.thresholds[MODE_NAMES.index(ranked[0].mode)])
        return _choice(ranked, abstained=ranked[0].probability < threshold)


def undecided() -> ModeChoice:
    """Return the choice where nothing can judge the question: every mode is as likely."""
    return _choice(_ranked([1 / len(MODE_NAMES)] * len(MODE_NAMES)), abstained=True)


def pinned(mode: ModeName) -> ModeChoice:
    """Return the choice of a user who named the mode."""
    ranked = _ranked([float(name == mode) for name in MODE_NAMES])
    return ModeChoice(mode=mode, confidence=1.0, pinned=True, ranked=ranked)


def _choice(ranked: tuple[ModeProbability, ...], abstained: bool) -> ModeChoice:
    best = ranked[0]
    return ModeChoice(mode=best.mode, confidence=best.probability, abstained=abstained, ranked=ranked)


def _ranked(probabilities: Sequence[float]) -> tuple[ModeProbability, ...]:
    entries = map(ModeProbability, MODE_NAMES, probabilities)
    return tuple(sorted(entries, key=lambda entry: -entry.probability))
