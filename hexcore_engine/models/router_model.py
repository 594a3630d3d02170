"""The router's weights and how they judge a question, in numpy.

A linear model over `router_features`: each feature it knows, stored under a 32-bit hash, has a weight for
each mode. The stronger model weighs the sentence vector, too. Only loaded when a question is routed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.errors import RoutingError
from hexcore_engine.models.embedder import WIDTH
from hexcore_engine.models.router_features import BLOCKS, features_of
from hexcore_engine.protocol.records import MODE_NAMES

FORMAT = 1

Scores: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class RouterModel:
    """`keys` [features] sorted hashes, `weights` [features, modes], modes in the order of MODE_NAMES.

    `temperature` divides the scores before they become probabilities; `thresholds` [modes] are the
    confidences below which a guess of that mode is called unsure. `meaning` [WIDTH, modes] are the weights of
    the sentence vector, None in the light model.
    """

    keys: NDArray[np.uint32]
    weights: NDArray[np.float16]
    temperature: float
    thresholds: NDArray[np.float64]
    meaning: NDArray[np.float32] | None = None

    def probabilities(self, question: str, vector: NDArray[np.float32] | None = None) -> Scores:
        """Return the probability of each mode [modes]; all alike for a text without a known feature. `vector`
        [WIDTH] is the question's, needed by the stronger model."""
        return softmax(self.scores(question, vector) / self.temperature)

    def scores(self, question: str, vector: NDArray[np.float32] | None = None) -> Scores:
        """Return the uncalibrated score of each mode [modes]."""
        total = np.zeros(len(MODE_NAMES))
        if self.meaning is not None and vector is not None:
            total += vector @ self.meaning
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
        arrays: dict[str, Any] = {
            "format": np.array(FORMAT),
            "keys": self.keys,
            "weights": self.weights,
            "temperature": np.array(self.temperature),
            "thresholds": self.thresholds,
        }
        if self.meaning is not None:
            arrays["meaning"] = self.meaning
        np.savez_compressed(file, **arrays)


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
                stored["keys"],
                stored["weights"],
                float(stored["temperature"]),
                stored["thresholds"],
                stored.get("meaning"),
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
    meaning = model.meaning if model.meaning is not None else np.zeros((WIDTH, len(MODE_NAMES)))
    numbers = (model.weights, model.thresholds, meaning, np.array(model.temperature))
    shapes = shapes and meaning.shape == (WIDTH, len(MODE_NAMES))
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
