"""How a checked rule number looks: a symbol, a word, and what the word promises.

Never "verified": a real number can still hang on a wrong claim.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hexcore_engine.protocol.records import CITATION_WORDS, Citation, CitationStatus


@dataclass(frozen=True)
class Mark:
    """Symbol and word stand beside the number; `meaning` is for the help screen."""

    status: CitationStatus
    symbol: str
    plain_symbol: str
    style: str
    meaning: str

    @property
    def word(self) -> str:
        """What people read for the status, here as elsewhere."""
        return CITATION_WORDS[self.status]


_ALL = (
    Mark("quoted", "❝", '"', "$success", "The sentence repeats at least five words of this rule in a row."),
    Mark(
        "retrieved",
        "≡",
        "=",
        "$primary",
        "The rule is real and stands above the answer; what the sentence claims is not checked.",
    ),
    Mark(
        "exists-not-retrieved",
        "○",
        "o",
        "$warning",
        "The rule is real, but it was not found for this question.",
    ),
    Mark("unknown", "✗", "x", "$error", "No rule has this number in the loaded rules."),
)
MARKS: dict[CitationStatus, Mark] = {mark.status: mark for mark in _ALL}


def first_of_each(citations: Iterable[Citation]) -> tuple[Citation, ...]:
    """Return one citation for each rule and status, in the order of the text."""
    seen: dict[tuple[str, str], Citation] = {}
    for citation in sorted(citations, key=lambda citation: citation.start):
        seen.setdefault((citation.rule, citation.status), citation)
    return tuple(seen.values())
