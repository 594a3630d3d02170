"""How far probabilities can be trusted: temperature, thresholds and the error that is left."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.models.router_model import Scores, softmax
from hexcore_engine.protocol.records import MODE_NAMES

# A guess is called unsure where no more than this share of those as doubtful was right.
UNSURE_ACCURACY = 0.55
NUM_BINS = 10
_TEMPERATURES = np.geomspace(0.2, 10, 400)
_THRESHOLDS = np.arange(0.35, 0.66, 0.01)
# Fewer guesses say nothing about a threshold.
_LEAST_GUESSES = 5


def fit_temperature(scores: Scores, labels: NDArray[np.intp]) -> float:
    """Return the temperature under which held-out scores [queries, modes] make the labels likeliest."""
    places = np.arange(len(labels))
    losses = [-np.log(softmax(scores / one)[places, labels] + 1e-12).mean() for one in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def fit_thresholds(scores: Scores, labels: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return for each mode the highest confidence below which guesses of it are mostly doubtful, from
    calibrated held-out scores."""
    probabilities = softmax(scores)
    guesses, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = guesses == labels
    thresholds = np.full(len(MODE_NAMES), _THRESHOLDS[0])
    for mode in range(len(MODE_NAMES)):
        for threshold in _THRESHOLDS:
            doubtful = (guesses == mode) & (confidence < threshold)
            if doubtful.sum() >= _LEAST_GUESSES and right[doubtful].mean() <= UNSURE_ACCURACY:
                thresholds[mode] = threshold
    return thresholds.round(2)


def calibration_error(probabilities: Scores, labels: NDArray[np.intp]) -> float:
    """Return the expected calibration error: the mean distance between confidence and share of right guesses
    over ten bins of confidence of the same width."""
    guesses, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    bins = np.minimum((confidence * NUM_BINS).astype(int), NUM_BINS - 1)
    error = 0.0
    for number in range(NUM_BINS):
        inside = bins == number
        if inside.any():
            gap = abs(float((guesses == labels)[inside].mean()) - float(confidence[inside].mean()))
            error += gap * float(inside.mean())
    return error


def figures(
    probabilities: Scores, labels: NDArray[np.intp], thresholds: NDArray[np.float64]
) -> dict[str, Any]:
    """Return accuracy, confusion (wanted mode -> guessed mode -> count), calibration error, and how often it
    abstained and was right when it did not."""
    guesses = probabilities.argmax(axis=1)
    right = guesses == labels
    sure = probabilities.max(axis=1) >= thresholds[guesses]
    confusion = {
        wanted: {
            guessed: int(((labels == row) & (guesses == column)).sum())
            for column, guessed in enumerate(MODE_NAMES)
        }
        for row, wanted in enumerate(MODE_NAMES)
    }
    return {
        "num_queries": len(labels),
        "accuracy": round(float(right.mean()), 4),
        "expected_calibration_error": round(calibration_error(probabilities, labels), 4),
        "abstained": round(float(1 - sure.mean()), 4),
        "accuracy_when_sure": round(float(right[sure].mean()), 4) if sure.any() else None,
        "confusion": confusion,
    }
