"""The run card beside the ranker's weights: what they were made from and how well they did."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

from hexcore_engine.knowledge.digest.loader import digest_hash
from hexcore_engine.knowledge.index.features import FEATURES
from hexcore_engine.knowledge.index.ranker import CARD_NAME, WEIGHTS_NAME
from hexcore_engine.training.ranker import (
    DATA_FILE,
    EXAMPLE_WEIGHT,
    NUM_TREES,
    PARAMETERS,
    SEEDS,
    TrainedRanker,
)


def save_ranker(trained: TrainedRanker, folder: Path, data_file: Path = DATA_FILE) -> None:
    """Write weights and run card."""
    folder.mkdir(parents=True, exist_ok=True)
    trained.ranker.save(folder / WEIGHTS_NAME)
    card = {
        "made": time.strftime("%Y-%m-%d", time.gmtime()),
        "data_sha256": hashlib.sha256(data_file.read_bytes()).hexdigest(),
        "digest_hash": digest_hash(),
        "num_questions": trained.num_questions,
        "num_rule_examples": trained.num_rule_examples,
        "example_weight": EXAMPLE_WEIGHT,
        "seeds": list(SEEDS),
        "num_trees": NUM_TREES,
        "parameters": PARAMETERS,
        "cross_validated_recall": trained.scores,
        "features": list(FEATURES),
    }
    (folder / CARD_NAME).write_text(json.dumps(card, indent=1) + "\n", "utf-8")
