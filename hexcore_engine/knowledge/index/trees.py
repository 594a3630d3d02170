"""Boosted regression trees evaluated in numpy, all at once; the training library is not needed.

Form: every tree is a row of arrays padded to the longest; node 0 is its root, a leaf is its own child.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_ARRAYS = ("feature", "threshold", "left", "right", "value")


@dataclass(frozen=True)
class TreeEnsemble:
    """Arrays [trees, nodes]; a row goes left where its feature is at most the threshold."""

    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left: NDArray[np.int16]
    right: NDArray[np.int16]
    value: NDArray[np.float32]
    depth: int

    def scores(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the sum of all trees for each row of [rows, features]."""
        num_trees, num_rows = self.feature.shape[0], rows.shape[0]
        trees = np.arange(num_trees)[:, None]
        columns = np.arange(num_rows)[None, :]
        node = np.zeros((num_trees, num_rows), dtype=np.intp)
        for _ in range(self.depth):
            goes_left = rows[columns, self.feature[trees, node]] <= self.threshold[trees, node]
            node = np.where(goes_left, self.left[trees, node], self.right[trees, node])
        return np.asarray(self.value[trees, node].sum(axis=0), dtype=np.float32)

    def save(self, file: Path) -> None:
        """Write the arrays, without pickle."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        np.savez_compressed(file, depth=np.array(self.depth), **arrays)


def load_trees(file: Path) -> TreeEnsemble:
    """Read what `save` wrote."""
    with np.load(file, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in _ARRAYS}
        return TreeEnsemble(depth=int(stored["depth"]), **arrays)
