from __future__ import annotations

import numpy as np
import pytest

from hexcore_engine.training.exported_trees import ensemble_of

STUMP = {
    "split_feature": 1,
    "threshold": 0.5,
    "left_child": {"leaf_value": -1.0},
    "right_child": {
        "split_feature": 0,
        "threshold": 2.0,
        "left_child": {"leaf_value": 3.0},
        "right_child": {"leaf_value": 5.0},
    },
}


def by_hand(row: list[float]) -> float:
    if row[1] <= 0.5:
        return -1.0
    return 3.0 if row[0] <= 2.0 else 5.0


def test_trees_are_walked_as_they_are_written() -> None:
    rows = [[0.0, 0.0], [0.0, 1.0], [9.0, 1.0], [2.0, 0.51], [9.0, 0.5]]
    trees = ensemble_of([STUMP, {"leaf_value": 0.25}], scale=0.5)
    scores = trees.scores(np.array(rows, dtype=np.float32))
    assert scores.tolist() == [by_hand(row) * 0.5 + 0.125 for row in rows]


def test_scores_equal_the_training_librarys() -> None:
    lightgbm = pytest.importorskip("lightgbm", reason="the train extra is not installed")
    random = np.random.default_rng(1)
    rows = random.normal(size=(400, 5)).astype(np.float32)
    labels = (rows[:, 0] + rows[:, 1] > 0).astype(int)
    dataset = lightgbm.Dataset(rows, labels, group=[40] * 10)
    parameters = {"objective": "lambdarank", "num_leaves": 7, "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(parameters, dataset, 20)
    trees = ensemble_of([tree["tree_structure"] for tree in booster.dump_model()["tree_info"]], scale=1.0)
    assert np.allclose(trees.scores(rows), booster.predict(rows), atol=1e-4)
