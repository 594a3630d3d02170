"""What a card's record says, put into the columns that queries look at."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable

from hexcore_engine.knowledge.cards.columns import ColumnBuilder, TextColumnBuilder
from hexcore_engine.knowledge.cards.face_view import FaceView, face_view
from hexcore_engine.knowledge.cards.names import name_key
from hexcore_engine.knowledge.cards.produced import produced_mana
from hexcore_engine.knowledge.cards.records import CardRecord, FaceRecord
from hexcore_engine.knowledge.cards.traits import traits_of
from hexcore_engine.utils.validation import fold

# Followed by a format's name: the column of its legalities.
FORMAT_PREFIX = "format:"
UNTOLD = ""
_SET_SIGN = "|"
_HALVES = frozenset(("split", "aftermath"))
_BUILDERS: dict[str, tuple[type[ColumnBuilder] | type[TextColumnBuilder], bool]] = {
    **dict.fromkeys(("name", "name_key"), (TextColumnBuilder, False)),
    **dict.fromkeys(
        ("identity", "mana_value", "layout", "keywords", "traits", "extra"), (ColumnBuilder, False)
    ),
    **dict.fromkeys(
        ("type_line", "mana_cost", "colors", "power", "toughness", "loyalty", "defense", "produced"),
        (ColumnBuilder, True),
    ),
    **dict.fromkeys(("oracle", "oracle_self", "full_oracle"), (TextColumnBuilder, True)),
}


def joined_set(members: Iterable[str]) -> str:
    """Text in which each member stands between two signs, for looking one up."""
    return _SET_SIGN + "".join(f"{member}{_SET_SIGN}" for member in sorted(members))


class FactsBuilder:
    """Collects the columns while cards are written."""

    def __init__(self) -> None:
        self._num_cards = 0
        self._columns = {name: kind(is_face=is_face) for name, (kind, is_face) in _BUILDERS.items()}
        self._formats: dict[str, ColumnBuilder] = {}
        self._further_cards = array("I")
        self._order: list[tuple[str, int]] = []

    def add(self, card: CardRecord) -> None:
        """Add the next card."""
        number = self._num_cards
        key = name_key(card.name)
        self._order.append((key, number))
        self._further_cards.extend([number] * (len(card.faces) - 1))
        views = [face_view(face) for face in card.faces]
        self._columns["name"].add((fold(card.name),))
        self._columns["name_key"].add((key,))
        for name, value in _card_values(card, views).items():
            self._columns[name].add((value,))
        rows = [_face_values(card, view) for view in views]
        for name in rows[0]:
            self._columns[name].add([row[name] for row in rows])
        self._add_legalities(card.legalities or {})
        self._num_cards += 1

    def write(self, connection: sqlite3.Connection) -> None:
        """Store all columns."""
        for name, builder in self._columns.items():
            builder.write(connection, name)
        for name, formats in self._formats.items():
            formats.write(connection, f"{FORMAT_PREFIX}{name}")
        order = array("I", [number for _, number in sorted(self._order)])
        connection.execute(
            "INSERT INTO card_layout VALUES (?, ?)", (self._further_cards.tobytes(), order.tobytes())
        )

    def _add_legalities(self, legalities: dict[str, str]) -> None:
        for name in legalities.keys() - self._formats.keys():
            self._formats[name] = ColumnBuilder(is_face=False)
            self._formats[name].repeat(UNTOLD, self._num_cards)
        for name, builder in self._formats.items():
            builder.add((legalities.get(name, UNTOLD),))


def _card_values(card: CardRecord, views: list[FaceView]) -> dict[str, str]:
    return {
        "identity": "".join(card.color_identity),
        "mana_value": f"{card.mana_value:g}",
        "layout": card.layout,
        "keywords": joined_set({fold(keyword) for keyword in card.keywords}),
        "traits": joined_set(traits_of(card, views)),
        "extra": "1" if card.extra else UNTOLD,
    }


def _face_values(card: CardRecord, view: FaceView) -> dict[str, str]:
    face = view.face
    produced = card.produced_mana
    return {
        "type_line": view.type_line,
        "mana_cost": face.mana_cost.upper(),
        "colors": "".join(_colors(card, face)),
        "power": face.power or UNTOLD,
        "toughness": face.toughness or UNTOLD,
        "loyalty": face.loyalty or UNTOLD,
        "defense": face.defense or UNTOLD,
        "produced": "".join(produced_mana(view) if produced is None else produced),
        "oracle": view.oracle,
        "oracle_self": view.about_itself,
        "full_oracle": view.full_oracle,
    }


def _colors(card: CardRecord, face: FaceRecord) -> tuple[str, ...]:
    """The halves of a split card share its colours; a front face always has those of its card."""
    whole = card.layout in _HALVES or face is card.faces[0]
    return card.colors if whole else face.colors
