"""What can be wrong with a term, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

IMPORT_CARDS = "`hexcore data import FILE` with a card file of Scryfall or MTGJSON brings it"


class TermProblem(Exception):
    """A term that can't be answered; the message says why."""


class DataMissing(TermProblem):
    """A term that asks for data which is not loaded."""


@dataclass(frozen=True)
class IgnoredTerm:
    """A term left out of the query. `column` counts from 1, None for a term that was not typed but stands in
    how words were read; `lacks_data` when the term is right and the data is not loaded."""

    column: int | None
    text: str
    reason: str
    lacks_data: bool = False

    def __str__(self) -> str:
        place = "in the reading" if self.column is None else f"column {self.column}"
        return f"{place}: {self.text}: {self.reason}"


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that names what may have been meant, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
