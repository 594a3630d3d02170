"""MTGJSON's `AtomicCards`: by name, the faces of a card, with legalities and rulings."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hexcore_engine.data.card_kinds import clean_printed, is_extra
from hexcore_engine.knowledge.cards.mana import in_color_order, mana_value
from hexcore_engine.knowledge.cards.names import face_names
from hexcore_engine.knowledge.cards.records import CardRecord, FaceRecord, RulingRecord
from hexcore_engine.utils.validation import clean_line, clean_text

SOURCE_NAME = "MTGJSON AtomicCards"
PROVIDES = ("legalities", "rulings", "indicators", "reserved", "gamechanger", "funny")
_LEGAL_WORDS = {"Legal": "legal", "Banned": "banned", "Restricted": "restricted"}
_NOT_LEGAL = "not_legal"


class AtomicRuling(msgspec.Struct):
    """A ruling, as it stands there."""

    date: str
    text: str


class Identifiers(msgspec.Struct, rename="camel"):
    """Names of the card elsewhere."""

    scryfall_oracle_id: str | None = None


class AtomicFace(msgspec.Struct, rename="camel"):
    """One face, as it stands there; what is not used is not read."""

    name: str
    face_name: str | None = None
    side: str | None = None
    layout: str = "normal"
    mana_cost: str | None = None
    mana_value: float | None = None
    face_mana_value: float | None = None
    type: str = ""
    text: str | None = None
    colors: list[str] = []
    color_identity: list[str] = []
    color_indicator: list[str] | None = None
    keywords: list[str] | None = None
    power: str | None = None
    toughness: str | None = None
    loyalty: str | None = None
    defense: str | None = None
    legalities: dict[str, str] = {}
    rulings: list[AtomicRuling] | None = None
    is_reserved: bool | None = None
    is_game_changer: bool | None = None
    is_funny: bool | None = None
    identifiers: Identifiers | None = None


class AtomicMeta(msgspec.Struct):
    """When the file was made."""

    date: str | None = None


def card_of(name: str, rows: Sequence[AtomicFace]) -> CardRecord:
    """The record of a card with all its faces; `rows` holds at least one."""
    faces_of_card = _faces_of_one_card(rows)
    front = faces_of_card[0]
    clean_name = clean_line(front.name or name)
    faces = tuple(_face(row) for row in faces_of_card)
    names = face_names(clean_name)
    present = {face.name for face in faces}
    marks = (
        ("reserved", front.is_reserved),
        ("gamechanger", front.is_game_changer),
        ("funny", front.is_funny),
    )
    return CardRecord(
        name=clean_name,
        layout=clean_line(front.layout),
        mana_value=_mana_value(front),
        colors=in_color_order(_card_colors(faces_of_card)),
        color_identity=in_color_order(front.color_identity),
        keywords=tuple(
            dict.fromkeys(clean_line(keyword) for row in faces_of_card for keyword in row.keywords or ())
        ),
        faces=faces,
        missing_faces=tuple(part for part in names if part not in present) if len(names) > 1 else (),
        extra=is_extra(clean_name, front.layout, front.type),
        legalities={
            clean_line(key): _LEGAL_WORDS.get(word, _NOT_LEGAL) for key, word in front.legalities.items()
        },
        rulings=tuple(_rulings(faces_of_card)),
        source=SOURCE_NAME,
        oracle_id=clean_line((front.identifiers and front.identifiers.scryfall_oracle_id) or ""),
        marks=tuple(mark for mark, told in marks if told),
    )


def _faces_of_one_card(rows: Sequence[AtomicFace]) -> list[AtomicFace]:
    """The faces by side; without sides, rows beyond the first are other cards of that name."""
    sided = [row for row in rows if row.side]
    if not sided:
        return [rows[0]]
    by_side: dict[str, AtomicFace] = {}
    for row in sided:
        by_side.setdefault(row.side or "", row)
    return [by_side[side] for side in sorted(by_side)]


def _face(row: AtomicFace) -> FaceRecord:
    return FaceRecord(
        name=clean_line(row.face_name or row.name),
        mana_cost=clean_line(row.mana_cost or ""),
        type_line=clean_line(row.type),
        oracle_text=clean_text(row.text or ""),
        power=clean_printed(row.power),
        toughness=clean_printed(row.toughness),
        loyalty=clean_printed(row.loyalty),
        defense=clean_printed(row.defense),
        colors=in_color_order(row.colors),
        color_indicator=in_color_order(row.color_indicator or ()),
    )


def _mana_value(front: AtomicFace) -> float:
    if front.mana_value is not None:
        return front.mana_value
    return mana_value(front.mana_cost or "")


def _card_colors(rows: Sequence[AtomicFace]) -> list[str]:
    """A split card has the colours of its halves; any other card those of its front."""
    halves = rows if rows[0].layout in ("split", "aftermath") else rows[:1]
    return [color for row in halves for color in row.colors]


def _rulings(rows: Sequence[AtomicFace]) -> dict[RulingRecord, None]:
    rulings = (ruling for row in rows for ruling in row.rulings or ())
    return dict.fromkeys(RulingRecord(clean_line(one.date), "wotc", clean_text(one.text)) for one in rulings)
