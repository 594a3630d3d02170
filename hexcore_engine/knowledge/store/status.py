"""What is set up, in one value."""

from __future__ import annotations

from hexcore_engine.knowledge.rules.records import ReleaseRecord
from hexcore_engine.protocol.records import Record


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
