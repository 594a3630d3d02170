"""What is set up, in one value."""

from __future__ import annotations

from datetime import date

from hexcore_engine.knowledge.rules.records import ReleaseRecord
from hexcore_engine.protocol.records import Record

# Releases come with each set, about every two months; older rules than this beside newer cards mislead.
STALE_DAYS = 60


def older_than_cards(effective: str | None, cards_date: str | None) -> str | None:
    """Say that rules of one ISO date are much older than cards of another; None when they are not, or a date
    is unknown or none."""
    if not effective or not cards_date:
        return None
    try:
        days = (date.fromisoformat(cards_date) - date.fromisoformat(effective)).days
    except ValueError:
        return None
    return f"the rules ({effective}) are older than the cards ({cards_date})" if days > STALE_DAYS else None


class KnowledgeStatus(Record, frozen=True):
    """State of the knowledge files. `cards_date` is the ISO date of the card source, None when unknown.

    `warnings` are in words, e.g. that the rules are older than the cards. `generation` grows with every
    change and is None when nothing was set up.
    """

    release: ReleaseRecord | None
    num_cards: int
    cards_source: str | None
    cards_date: str | None
    generation: int | None
    warnings: tuple[str, ...] = ()
