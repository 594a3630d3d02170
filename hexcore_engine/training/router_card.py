"""The run card beside the router's weights: what they were made from and how well they do."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hexcore_engine.errors import UsageError
from hexcore_engine.models import router_cues, router_features
from hexcore_engine.models.router import CARD_NAME, MEANING_CARD_NAME, MEANING_WEIGHTS_NAME, WEIGHTS_NAME
from hexcore_engine.models.router_features import BLOCKS
from hexcore_engine.models.router_model import RouterModel, softmax
from hexcore_engine.protocol.records import MODE_NAMES
from hexcore_engine.training.calibration import figures
from hexcore_engine.training.router import (
    ITERATIONS,
    LEAST_QUERIES,
    MEANING_SAY,
    PENALTY,
    ROUTER_DATA_FILE,
    ROUTER_FOLDS,
    ROUTER_SEEDS,
    LabelledQuery,
    TrainedRouter,
    Vectors,
)

# So many words in a row are no coincidence: a query to check with was copied into the training data.
SHARED_WORDS = 6


def save_router(
    trained: TrainedRouter,
    folder: Path,
    data_file: Path = ROUTER_DATA_FILE,
    unseen: Sequence[LabelledQuery] = (),
    unseen_vectors: Vectors | None = None,
    embedder: str | None = None,
) -> dict[str, Any]:
    """Write weights and run card; return the card. `unseen` are queries to check with, never trained on; the
    stronger model needs their sentence vectors, and its card names the `embedder` they come from.

    Raises:
        UsageError: when the training queries share words with the unseen ones.
    """
    copied = sorted(shared_queries(trained.queries, unseen))
    if copied:
        raise UsageError(f"Queries to check with stand in the training data: {copied[0]}", "Reword them.")
    card = _run_card(trained, data_file)
    card["unseen"] = unseen_figures(trained.model, unseen, unseen_vectors) if unseen else None
    stronger = trained.model.meaning is not None
    if stronger:
        card["parameters"]["meaning_say"] = MEANING_SAY
        card["embedder"] = embedder
    folder.mkdir(parents=True, exist_ok=True)
    trained.model.save(folder / (MEANING_WEIGHTS_NAME if stronger else WEIGHTS_NAME))
    file = folder / (MEANING_CARD_NAME if stronger else CARD_NAME)
    file.write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    return card


def _run_card(trained: TrainedRouter, data_file: Path) -> dict[str, Any]:
    model, queries = trained.model, trained.queries
    return {
        "made": time.strftime("%Y-%m-%d", time.gmtime()),
        "data_sha256": file_hash(data_file),
        "features_sha256": features_hash(),
        "num_queries": len(queries),
        "num_groups": len({query.group for query in queries}),
        "num_misleading": sum(query.misleading for query in queries),
        "num_by_mode": dict(sorted(Counter(query.mode for query in queries).items())),
        "num_features": len(model.keys),
        "seeds": list(ROUTER_SEEDS),
        "folds": ROUTER_FOLDS,
        "parameters": {
            "penalty": PENALTY,
            "iterations": ITERATIONS,
            "least_queries": LEAST_QUERIES,
            "blocks": BLOCKS,
        },
        "temperature": round(model.temperature, 4),
        "thresholds": dict(zip(MODE_NAMES, model.thresholds.tolist(), strict=True)),
        "cross_validated_by_group": _held_out_figures(trained),
    }


def _held_out_figures(trained: TrainedRouter) -> dict[str, Any]:
    model, repeats = trained.model, len(trained.held_out)
    probabilities = softmax(np.concatenate(trained.held_out) / model.temperature)
    labels = np.tile(trained.labels, repeats)
    right = probabilities.argmax(axis=1) == labels
    misleading = np.tile([query.misleading for query in trained.queries], repeats)
    return {
        **figures(probabilities, labels, model.thresholds),
        "accuracy_by_seed": [round(float(part.mean()), 4) for part in np.split(right, repeats)],
        "accuracy_misleading": round(float(right[misleading].mean()), 4) if misleading.any() else None,
    }


def unseen_figures(
    model: RouterModel, queries: Sequence[LabelledQuery], vectors: Vectors | None = None
) -> dict[str, Any]:
    """Return how a model does on labelled queries."""
    given = vectors if vectors is not None else [None] * len(queries)
    pairs = zip(queries, given, strict=True)
    probabilities = np.stack([model.probabilities(query.question, vector) for query, vector in pairs])
    labels = np.array([MODE_NAMES.index(query.mode) for query in queries])
    return figures(probabilities, labels, model.thresholds)


def file_hash(file: Path) -> str:
    """Return a file's sha256."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def features_hash() -> str:
    """Return the sha256 of the code that says what the features are."""
    modules = (router_cues, router_features)
    code = b"".join(Path(str(module.__file__)).read_bytes() for module in modules)
    return hashlib.sha256(code).hexdigest()


def shared_queries(ours: Sequence[LabelledQuery], theirs: Sequence[LabelledQuery]) -> Iterator[str]:
    """Our queries that share a run of words with one of theirs, or are one of theirs."""
    known = {run for query in theirs for run in _runs(query.question)}
    yield from (query.question for query in ours if _runs(query.question) & known)


def _runs(question: str) -> set[tuple[str, ...]]:
    words = router_features.tokens_of(question)
    plain = [word for word in words if word[0].isalpha()]
    length = min(SHARED_WORDS, len(plain))
    runs = {tuple(plain[start : start + length]) for start in range(len(plain) - length + 1)}
    # A shorter query is compared as a whole.
    return {run if length == SHARED_WORDS else ("whole", *run) for run in runs}
