"""Choosing one of the five modes for a question.

Two small trained classifiers whose weights lie beside this module, each with a run card; `hexcore train
router` makes them. The light one reads words. The stronger one also weighs the question's sentence vector: it
judges where that vector was computed for something else already, so that choosing a mode never waits for one.
Importing this costs nothing: weights and numpy are loaded with the first question.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from hexcore_engine.errors import RoutingError
from hexcore_engine.protocol.records import MODE_NAMES, ModeChoice, ModeName, ModeProbability

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hexcore_engine.models.router_model import RouterModel

logger = logging.getLogger(__name__)
# Gives the sentence vector of a question where it is known without computing it.
KnownMeaning: TypeAlias = "Callable[[str], NDArray[np.float32] | None]"

FOLDER = Path(__file__).parent / "weights"
WEIGHTS_NAME = "router.npz"
CARD_NAME = "router.json"
MEANING_WEIGHTS_NAME = "router_meaning.npz"
MEANING_CARD_NAME = "router_meaning.json"


class TransactionClassifier:
    """Says which mode a question asks for, and how sure it is."""

    def __init__(self, folder: Path = FOLDER, known_meaning: KnownMeaning | None = None) -> None:
        self._folder = folder
        self._known_meaning = known_meaning
        self._models: dict[str, RouterModel] = {}

    def classify(self, question: str) -> ModeChoice:
        """Return the best mode with all five ranked; `abstained` when none stands out.

        Raises:
            RoutingError: when the weights are missing or damaged.
        """
        vector = self._known_meaning(question) if self._known_meaning else None
        if vector is None:
            return self._judge(WEIGHTS_NAME, question)
        try:
            return self._judge(MEANING_WEIGHTS_NAME, question, vector)
        except RoutingError as error:
            logger.warning("the light router judges alone: %s", error.message)
            self._known_meaning = None
            return self._judge(WEIGHTS_NAME, question)

    def _judge(self, name: str, question: str, vector: NDArray[np.float32] | None = None) -> ModeChoice:
        if name not in self._models:
            from hexcore_engine.models.router_model import load_model

            self._models[name] = load_model(self._folder / name)
        model = self._models[name]
        ranked = _ranked(model.probabilities(question, vector).tolist())
        threshold = float(model.thresholds[MODE_NAMES.index(ranked[0].mode)])
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
