"""Trees as the training library dumps them, in the form numpy evaluates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hexcore_engine.knowledge.index.trees import MAX_LEAVES, TreeEnsemble


def ensemble_of(trees: Sequence[dict[str, Any]], scale: float) -> TreeEnsemble:
    """Return lightgbm's `tree_structure`s as one ensemble; leaf values are multiplied by `scale`."""
    shape = (len(trees), MAX_LEAVES - 1)
    feature = np.zeros(shape, dtype=np.int16)
    threshold = np.full(shape, np.inf, dtype=np.float32)
    left_out = np.zeros(shape, dtype=np.uint8)
    value = np.zeros((len(trees), MAX_LEAVES), dtype=np.float32)
    for place, tree in enumerate(trees):
        tests: list[tuple[int, float, int]] = []
        leaves: list[float] = []
        _read_tree(tree, tests, leaves)
        value[place, : len(leaves)] = np.array(leaves) * scale
        for number, (column, limit, mask) in enumerate(tests):
            feature[place, number], threshold[place, number] = column, limit
            left_out[place, number] = mask
    return TreeEnsemble(feature, threshold, left_out, value)


def _read_tree(node: dict[str, Any], tests: list[tuple[int, float, int]], leaves: list[float]) -> None:
    """Collect leaves from left to right, and for each test the leaves on its left as bits."""
    if "leaf_value" in node:
        leaves.append(node["leaf_value"])
        return
    first = len(leaves)
    _read_tree(node["left_child"], tests, leaves)
    mask = (1 << len(leaves)) - (1 << first)
    tests.append((node["split_feature"], node["threshold"], mask))
    _read_tree(node["right_child"], tests, leaves)
