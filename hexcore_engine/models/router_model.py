"""The router's weights and how they judge a question, in numpy.

A linear model over `router_features`: each feature it knows, stored under a 32-bit hash, has a weight for
each mode. Only loaded when a question is routed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.errors import RoutingError
from hexcore_engine.models.router_features import BLOCKS, features_of
from hexcore_engine.protocol.records import MODE_NAMES

FORMAT = 1

Scores: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class RouterModel:
    """`keys` [features] sorted hashes, `weights` [features, modes], modes in the order of MODE_NAMES.

    `temperature` divides the scores before they become probabilities; `thresholds` [modes] are the
    confidences below which a guess of that mode is called unsure.
    """

    keys: NDArray[np.uint32]
    weights: NDArray[np.float16]
    temperature: float
    thresholds: NDArray[np.float64]

    def probabilities(self, question: str) -> Scores:
        """Return the probability of each mode [modes]; all alike for a text without a known feature."""
        return softmax(self.scores(question) / self.temperature)

    def scores(self, question: str) -> Scores:
        """Return the uncalibrated score of each mode [modes]."""
        total = np.zeros(len(MODE_NAMES))
        for block, features in features_of(question).items():
            rows = self._rows(hashes(block, features))
            if len(rows):
                summed = self.weights[rows].astype(np.float64).sum(axis=0)
                total += summed * block_value(block, len(features))
        return total

    def _rows(self, wanted: NDArray[np.uint32]) -> NDArray[np.intp]:
        places = np.searchsorted(self.keys, wanted)
        places[places == len(self.keys)] = 0
        return places[self.keys[places] == wanted] if len(self.keys) else places[:0]

    def save(self, file: Path) -> None:
        """Write the weights, without pickle."""
        np.savez_compressed(
            file,
            format=np.array(FORMAT),
            keys=self.keys,
            weights=self.weights,
            temperature=np.array(self.temperature),
            thresholds=self.thresholds,
        )


def load_model(file: Path) -> RouterModel:
    """Read the weights.

    Raises:
        RoutingError: when the file is missing, damaged or of another form.
    """
    try:
        with np.load(file, allow_pickle=False) as stored:
            if int(stored["format"]) != FORMAT:
                raise RoutingError(f"The router's weights in {file} have the form of another version.")
            model = RouterModel(
                stored["keys"], stored["weights"], float(stored["temperature"]), stored["thresholds"]
            )
    except FileNotFoundError as error:
        raise RoutingError(f"The router's weights are missing: {file}.") from error
    except RoutingError:
        raise
    except Exception as error:
        # What a damaged archive makes zipfile and numpy raise has no end.
        raise RoutingError(f"The router's weights in {file} are damaged.") from error
    if not _is_sound(model):
        raise RoutingError(f"The router's weights in {file} are damaged.")
    return model


def _is_sound(model: RouterModel) -> bool:
    shapes = model.keys.ndim == 1 and model.weights.shape == (len(model.keys), len(MODE_NAMES))
    numbers = (model.weights, model.thresholds, np.array(model.temperature))
    if not shapes or model.thresholds.shape != (len(MODE_NAMES),):
        return False
    if any(part.dtype.kind != "f" for part in numbers) or model.keys.dtype != np.uint32:
        return False
    return all(np.isfinite(part).all() for part in numbers) and model.temperature > 0


def hashes(block: str, features: Iterable[str]) -> NDArray[np.uint32]:
    """Return the sorted hashes under which features of a block are stored."""
    found = [zlib.crc32(f"{block}:{feature}".encode("utf-8", "surrogatepass")) for feature in features]
    return np.sort(np.array(found, dtype=np.uint32))


def block_value(block: str, num_features: int) -> float:
    """Return the value of each feature of a block: its length as a vector is the block's say."""
    return float((BLOCKS[block] / num_features) ** 0.5)


def softmax(scores: Scores) -> Scores:
    """Return probabilities along the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))
