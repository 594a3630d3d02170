"""Frozen values for cards."""

from __future__ import annotations

from hexcore_engine.protocol.records import Record


class FaceRecord(Record, frozen=True):
    """One face of a card, as printed in Oracle text. Empty text means the face has none; numbers stay text
    ("*"). `colors` are letters of WUBRG in that order."""

    name: str
    mana_cost: str
    type_line: str
    oracle_text: str
    power: str | None = None
    toughness: str | None = None
    loyalty: str | None = None
    defense: str | None = None
    colors: tuple[str, ...] = ()


class RulingRecord(Record, frozen=True):
    """A dated decision about a card."""

    published: str
    source: str
    text: str


class CardRecord(Record, frozen=True):
    """A card with all the faces the source has, listed once under `Front // Back`.

    `missing_faces` names faces the source lacks; whoever shows the card says so. `mana_value` is the front's.
    """

    name: str
    layout: str
    mana_value: float
    colors: tuple[str, ...]
    color_identity: tuple[str, ...]
    keywords: tuple[str, ...]
    faces: tuple[FaceRecord, ...]
    missing_faces: tuple[str, ...] = ()
    extra: bool = False
    legalities: dict[str, str] | None = None
    rulings: tuple[RulingRecord, ...] | None = None
    source: str = ""


class CardsSource(Record, frozen=True):
    """Where the loaded cards come from, in words, and the ISO date of that source (None when unknown)."""

    name: str
    date: str | None
    num_cards: int


class CardHit(Record, frozen=True):
    """One line of a card list: enough to draw it without reading the card."""

    name: str
    mana_cost: str
    type_line: str


class CardSearch(Record, frozen=True):
    """The result of a card query.

    `reading` says how the query was understood, `ignored` which terms were not and why. `total` counts all
    matches, of which `hits` are the first.
    """

    hits: tuple[CardHit, ...]
    total: int
    reading: str
    ignored: tuple[str, ...] = ()
