"""Frozen values for cards."""

from __future__ import annotations

from hexcore_engine.protocol.records import ErrorRecord, Record


class FaceRecord(Record, frozen=True):
    """One face of a card, as printed in Oracle text. Empty text means the face has none; numbers stay text
    ("*"). `colors` are letters of WUBRG in that order, and so is `color_indicator` where the source tells
    it."""

    name: str
    mana_cost: str
    type_line: str
    oracle_text: str
    power: str | None = None
    toughness: str | None = None
    loyalty: str | None = None
    defense: str | None = None
    colors: tuple[str, ...] = ()
    color_indicator: tuple[str, ...] = ()


class RulingRecord(Record, frozen=True):
    """A decision about a card; `published` is an ISO date."""

    published: str
    source: str
    text: str


class CardRecord(Record, frozen=True):
    """A card with all the faces the source has, listed once under `Front // Back`.

    `missing_faces` names faces the source lacks; whoever shows the card says so. `mana_value` is the front's,
    of a split card that of both halves where the source has both. `legalities` is format -> legal, not_legal,
    banned or restricted. None is what the source doesn't tell; `marks` are what it says beside that:
    reserved, funny.
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
    oracle_id: str = ""
    produced_mana: tuple[str, ...] | None = None
    marks: tuple[str, ...] = ()


class CardsSource(Record, frozen=True):
    """Where the loaded cards come from, in words, and the ISO date of that source (None when unknown).

    `provides` names what it tells beside the cards' texts: legalities, rulings, indicators, reserved, funny,
    produced. `rulings_source` and `rulings_date` are of rulings that came in a file of their own.
    """

    name: str
    date: str | None
    num_cards: int
    provides: tuple[str, ...] = ()
    rulings_source: str = ""
    rulings_date: str | None = None


class CardHit(Record, frozen=True):
    """One line of a card list: enough to draw it without reading the card."""

    name: str
    mana_cost: str
    type_line: str


class CardSearch(Record, frozen=True):
    """The result of a card query.

    `reading` is the query as it was understood, which may be typed again; `ignored` says which terms were not
    and why, each with its column (the first is 1); `notes` what else there is to know. `total` counts all
    matches, of which `hits` are the first; when `stopped`, those found until the time was up. With `error`
    nothing could be answered.
    """

    hits: tuple[CardHit, ...]
    total: int
    reading: str
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    stopped: bool = False
    error: ErrorRecord | None = None
