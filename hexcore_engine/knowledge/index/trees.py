"""Boosted regression trees of a few leaves evaluated in numpy, all trees and rows at once.

The training library is not needed. Instead of walking down, every test of every tree is made at once, and
each test that sends a row to the right rules out the leaves on its left (Lucchese and others, "QuickScorer",
2015); the first leaf that is left holds the tree's value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

# Leaves of a tree are the bits of one byte.
MAX_LEAVES = 8
_FIRST_BIT = np.array([(byte & -byte).bit_length() - 1 if byte else 0 for byte in range(256)], dtype=np.int32)


@dataclass(frozen=True)
class TreeEnsemble:
    """Arrays [trees, tests] and values [trees, MAX_LEAVES], leaves from left to right.

    A row goes right where its feature is above the threshold; `left_out` has a bit for each leaf to the left
    of that test. Unused tests have an infinite threshold.
    """

    ARRAYS: ClassVar[tuple[str, ...]] = ("feature", "threshold", "left_out", "value")

    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left_out: NDArray[np.uint8]
    value: NDArray[np.float32]

    def scores(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the sum of all trees for each row of [rows, features]."""
        num_trees = self.feature.shape[0]
        leaves = np.full((num_trees, rows.shape[0]), 0xFF, dtype=np.uint8)
        columns = np.ascontiguousarray(rows.T)
        for test in range(self.feature.shape[1]):
            goes_right = columns[self.feature[:, test]] > self.threshold[:, test, None]
            # All leaves where a row goes left (0 - 1 = 255), else those not left out (1 - 1 = 0).
            kept = goes_right.view(np.uint8)
            kept -= 1
            kept |= ~self.left_out[:, test, None]
            leaves &= kept
        places = leaves + np.arange(0, num_trees * 256, 256, dtype=np.int32)[:, None]
        return np.asarray(self._value_of_leaves[places].sum(axis=0), dtype=np.float32)

    @cached_property
    def _value_of_leaves(self) -> NDArray[np.float32]:
        """For each tree and each set of leaves that are left, the value of the first [trees * 256]."""
        return np.ascontiguousarray(self.value[:, _FIRST_BIT]).ravel()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, for storing."""
        return {name: getattr(self, name) for name in self.ARRAYS}
