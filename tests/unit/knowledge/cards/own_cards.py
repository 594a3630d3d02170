"""A few cards in our own words, for tests that need no real ones."""

from __future__ import annotations

from pathlib import Path

from hexcore_engine.knowledge.cards.records import CardRecord, CardsSource, FaceRecord
from hexcore_engine.knowledge.cards.schema import write_cards
from hexcore_engine.knowledge.store.builder import import_lock, publish_cards


def own_card(name: str, *, missing: tuple[str, ...] = (), extra: bool = False) -> CardRecord:
    """A card with one line of text a face."""
    faces = tuple(
        FaceRecord(part, "{1}{G}", "Creature — Lantern", f"{part} glows.", power="1", toughness="*")
        for part in name.split(" // ")
        if part not in missing
    )
    return CardRecord(name, "normal", 2, ("G",), ("G",), (), faces, missing, extra)


def publish_own(folder: Path, cards: list[CardRecord], name: str = "our own cards") -> None:
    """Make `cards` the cards of a knowledge folder."""
    source = CardsSource(name, "2026-05-04", len(cards))
    with import_lock(folder):
        publish_cards(folder, lambda connection: write_cards(connection, cards, source))
