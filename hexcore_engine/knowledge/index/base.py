"""What retrieval takes from an index of meanings: optional, built elsewhere, and injected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class NearTexts:
    """Texts of a release near another in meaning: parallel arrays, the nearest first.

    `rules` are positions in the release, `fields` places in FIELDS of postings, `likeness` cosines.
    """

    rules: Ints
    fields: Ints
    likeness: Floats


def no_near_texts() -> NearTexts | None:
    """Stand for vectors that are not there."""
    return None


@dataclass(frozen=True)
class Absence:
    """Why there are no vectors and what to do about it, in words; `passing` when they come by themselves,
    `chosen` when the user turned them off and needs no telling."""

    reason: str
    remedy: str = ""
    passing: bool = False
    chosen: bool = False

    @property
    def note(self) -> str:
        """Both in one line."""
        return f"{self.reason} {self.remedy}".strip()


NOT_INSTALLED = Absence(
    "Vectors are not installed, so rules are found by words alone.",
    "To find them by meaning, too: `make setup EXTRAS=torch`, then `hexcore setup`.",
)
NOT_READY = Absence("The vectors are not ready yet: rules were found without them.", passing=True)


class VectorIndex(Protocol):
    """Finds texts of a release by meaning. Used by several threads at once; never waits for a build."""

    def near(self, release_file: str, text: str) -> NearTexts | None:
        """Return the texts nearest to `text`; None where that release has no index yet."""
        ...

    def absence(self) -> Absence:
        """Say why `near` gave None."""
        ...
