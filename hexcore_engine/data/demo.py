"""A small world of our own for `hexcore-tui --demo`: invented cards, and the rules in our words.

Run as `python -m hexcore_engine.data.demo`, it builds that world in HEXCORE_HOME.
"""

from __future__ import annotations

from pathlib import Path

from hexcore_engine.knowledge.cards.records import CardRecord, CardsSource, FaceRecord
from hexcore_engine.knowledge.cards.schema import write_cards
from hexcore_engine.knowledge.rules.release import ensure_digest_release
from hexcore_engine.knowledge.store.builder import import_lock, publish_cards
from hexcore_engine.paths import default_paths

SOURCE = "invented for the demo"


def _creature(
    name: str, cost: str, mana_value: float, type_line: str, size: str, text: str, *keywords: str
) -> CardRecord:
    power, toughness = size.split("/")
    color = next((letter for letter in cost if letter in "WUBRG"), "")
    face = FaceRecord(name, cost, type_line, text, power, toughness)
    return CardRecord(name, "normal", mana_value, (color,), (color,), keywords, (face,), source=SOURCE)


CARDS = (
    _creature(
        "Gravelmaw Titan",
        "{4}{G}{G}",
        6,
        "Creature — Giant",
        "6/6",
        "Trample\nWhen Gravelmaw Titan enters, it deals 1 damage to each other creature.",
        "Trample",
    ),
    _creature("Nettle Adder", "{1}{B}", 2, "Creature — Snake", "1/1", "Deathtouch", "Deathtouch"),
    _creature(
        "Brass Lamplighter",
        "{2}{W}",
        3,
        "Creature — Construct",
        "2/4",
        "First strike\nOther creatures you control can't be blocked by creatures with flying.",
        "First strike",
    ),
    _creature(
        "Driftwood Seer",
        "{1}{U}",
        2,
        "Creature — Spirit",
        "1/3",
        "Flying\nWhenever you draw your second card each turn, scry 1.",
        "Flying",
    ),
)


def build_demo(folder: Path) -> None:
    """Build the demo's knowledge files in `folder`.

    Raises:
        StorageError: when the folder can't be written.
    """
    with import_lock(folder):
        source = CardsSource(SOURCE, None, len(CARDS))
        publish_cards(folder, lambda connection: write_cards(connection, CARDS, source))
    ensure_digest_release(folder)


if __name__ == "__main__":
    build_demo(default_paths().knowledge_dir)
