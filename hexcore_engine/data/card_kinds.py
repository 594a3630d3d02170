"""What importers of cards share: which cards lists leave out unless asked for, and cleaning short values."""

from __future__ import annotations

from hexcore_engine.knowledge.cards.traits import EXTRA_TYPES
from hexcore_engine.utils.validation import clean_line

_EXTRA_LAYOUTS = frozenset(
    ("reversible_card", "token", "double_faced_token", "emblem", "art_series", "planar", "scheme", "vanguard")
)
_REBALANCED_PREFIX = "A-"


def is_extra(name: str, layout: str, type_line: str) -> bool:
    """Whether a card is no part of an ordinary deck, a token, a picture, a rebalanced or a second row."""
    return (
        layout in _EXTRA_LAYOUTS
        or name.startswith(_REBALANCED_PREFIX)
        or not EXTRA_TYPES.isdisjoint(type_line.casefold().split())
    )


def clean_printed(value: str | None) -> str | None:
    """A printed number without what is no text; None stays None, nothing becomes None."""
    return clean_line(value) or None if value is not None else None
