"""Scryfall's bulk files: `oracle_cards`, one entry a card, and `rulings`."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from hexcore_engine.data.card_kinds import clean_printed, is_extra
from hexcore_engine.knowledge.cards.mana import in_color_order, mana_colors, mana_value
from hexcore_engine.knowledge.cards.records import CardRecord, FaceRecord, RulingRecord
from hexcore_engine.utils.validation import clean_line, clean_text

SOURCE_NAME = "Scryfall"
RULINGS_NAME = "Scryfall rulings"
PROVIDES = ("legalities", "indicators", "reserved", "gamechanger", "funny", "produced")
_COLORLESS = "C"


class ScryfallFace(msgspec.Struct):
    """One face, as it stands there."""

    name: str
    mana_cost: str = ""
    type_line: str = ""
    oracle_text: str = ""
    colors: list[str] | None = None
    color_indicator: list[str] | None = None
    power: str | None = None
    toughness: str | None = None
    loyalty: str | None = None
    defense: str | None = None
    oracle_id: str | None = None
    cmc: float | None = None


class ScryfallCard(msgspec.Struct):
    """One card, as it stands there; what is not used is not read."""

    name: str
    oracle_id: str | None = None
    layout: str = "normal"
    mana_cost: str | None = None
    cmc: float | None = None
    type_line: str | None = None
    oracle_text: str | None = None
    colors: list[str] | None = None
    color_identity: list[str] = []
    color_indicator: list[str] | None = None
    keywords: list[str] = []
    power: str | None = None
    toughness: str | None = None
    loyalty: str | None = None
    defense: str | None = None
    produced_mana: list[str] | None = None
    legalities: dict[str, str] = {}
    reserved: bool = False
    game_changer: bool | None = None
    set_type: str | None = None
    card_faces: list[ScryfallFace] | None = None


class ScryfallRuling(msgspec.Struct):
    """One ruling, as it stands there."""

    oracle_id: str
    published_at: str
    comment: str
    source: str = ""


def card_of(row: ScryfallCard) -> CardRecord:
    """The card's record."""
    faces = tuple(_faces(row))
    front = faces[0]
    type_line = row.type_line or front.type_line
    name = clean_line(row.name)
    return CardRecord(
        name=name,
        layout=clean_line(row.layout),
        mana_value=_mana_value(row, front),
        colors=in_color_order(row.colors) if row.colors is not None else front.colors,
        color_identity=in_color_order(row.color_identity),
        keywords=tuple(clean_line(keyword) for keyword in row.keywords),
        faces=faces,
        extra=is_extra(name, row.layout, type_line) or row.set_type == "memorabilia",
        legalities={clean_line(format_): clean_line(status) for format_, status in row.legalities.items()},
        source=SOURCE_NAME,
        oracle_id=clean_line(_oracle_id(row)),
        produced_mana=_produced(row.produced_mana),
        marks=tuple(_marks(row)),
    )


def ruling_of(row: ScryfallRuling) -> RulingRecord:
    """The ruling's record."""
    return RulingRecord(clean_line(row.published_at), clean_line(row.source), clean_text(row.comment))


def _faces(row: ScryfallCard) -> Iterator[FaceRecord]:
    if not row.card_faces:
        yield FaceRecord(
            name=clean_line(row.name),
            mana_cost=clean_line(row.mana_cost or ""),
            type_line=clean_line(row.type_line or ""),
            oracle_text=clean_text(row.oracle_text or ""),
            power=clean_printed(row.power),
            toughness=clean_printed(row.toughness),
            loyalty=clean_printed(row.loyalty),
            defense=clean_printed(row.defense),
            colors=in_color_order(row.colors or ()),
            color_indicator=in_color_order(row.color_indicator or ()),
        )
        return
    for face in row.card_faces:
        yield FaceRecord(
            name=clean_line(face.name),
            mana_cost=clean_line(face.mana_cost),
            type_line=clean_line(face.type_line or row.type_line or ""),
            oracle_text=clean_text(face.oracle_text),
            power=clean_printed(face.power),
            toughness=clean_printed(face.toughness),
            loyalty=clean_printed(face.loyalty),
            defense=clean_printed(face.defense),
            colors=in_color_order(face.colors) if face.colors is not None else mana_colors(face.mana_cost),
            color_indicator=in_color_order(face.color_indicator or ()),
        )


def _mana_value(row: ScryfallCard, front: FaceRecord) -> float:
    if row.cmc is not None:
        return row.cmc
    of_front = row.card_faces[0].cmc if row.card_faces else None
    return of_front if of_front is not None else mana_value(front.mana_cost)


def _oracle_id(row: ScryfallCard) -> str:
    return row.oracle_id or (row.card_faces[0].oracle_id if row.card_faces else None) or ""


def _produced(letters: list[str] | None) -> tuple[str, ...]:
    present = letters or []
    return (*in_color_order(present), *((_COLORLESS,) if _COLORLESS in present else ()))


def _marks(row: ScryfallCard) -> Iterator[str]:
    if row.reserved:
        yield "reserved"
    if row.game_changer:
        yield "gamechanger"
    if row.set_type == "funny":
        yield "funny"
