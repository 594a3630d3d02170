"""What a card's record says, put into the columns that queries look at."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator

from hexcore_engine.knowledge.cards.columns import ColumnBuilder
from hexcore_engine.knowledge.cards.face_view import FaceView, face_view
from hexcore_engine.knowledge.cards.names import name_key
from hexcore_engine.knowledge.cards.produced import produced_mana
from hexcore_engine.knowledge.cards.records import CardRecord, FaceRecord
from hexcore_engine.knowledge.cards.traits import traits_of
from hexcore_engine.utils.validation import fold

FORMAT_PREFIX = "format:"
UNTOLD = ""
_SET_SIGN = "|"
_HALVES = frozenset(("split", "aftermath"))

_CARD_COLUMNS = ("name", "name_key", "identity", "mana_value", "layout", "keywords", "traits", "extra")
_FACE_COLUMNS = (
    "type_line", "mana_cost", "colors", "power", "toughness", "loyalty", "defense", "produced",
    "oracle", "oracle_self", "full_oracle",
)  # fmt: skip


def joined_set(members: Iterator[str] | tuple[str, ...] | frozenset[str]) -> str:
    """Text in which each member stands between two signs, for looking one up."""
    return _SET_SIGN + "".join(f"{member}{_SET_SIGN}" for member in sorted(members))


class FactsBuilder:
    """Collects the columns while cards are written."""

    def __init__(self) -> None:
        self._num_cards = 0
        self._card = {name: ColumnBuilder(is_face=False) for name in _CARD_COLUMNS}
        self._face = {name: ColumnBuilder(is_face=True) for name in _FACE_COLUMNS}
        self._formats: dict[str, ColumnBuilder] = {}
        self._further_cards = array("I")
        self._order: list[tuple[str, int]] = []

    def add(self, card: CardRecord) -> None:
        """Add the next card."""
        number = self._num_cards
        self._further_cards.extend([number] * (len(card.faces) - 1))
        key = name_key(card.name)
        self._order.append((key, number))
        views = [face_view(face) for face in card.faces]
        for name, value in _card_values(card, key, views):
            self._card[name].add((value,))
        rows = [_face_values(card, view) for view in views]
        for place, name in enumerate(_FACE_COLUMNS):
            self._face[name].add([row[place] for row in rows])
        self._add_legalities(card.legalities or {})
        self._num_cards += 1

    def write(self, connection: sqlite3.Connection) -> None:
        """Store all columns."""
        formats = {f"{FORMAT_PREFIX}{name}": builder for name, builder in self._formats.items()}
        for name, builder in (self._card | self._face | formats).items():
            builder.write(connection, name)
        order = array("I", [number for _, number in sorted(self._order)])
        connection.execute(
            "INSERT INTO card_layout VALUES (?, ?)", (self._further_cards.tobytes(), order.tobytes())
        )

    def _add_legalities(self, legalities: dict[str, str]) -> None:
        for name in legalities.keys() - self._formats.keys():
            self._formats[name] = ColumnBuilder(is_face=False)
            for _ in range(self._num_cards):
                self._formats[name].add((UNTOLD,))
        for name, builder in self._formats.items():
            builder.add((legalities.get(name, UNTOLD),))


def _card_values(card: CardRecord, key: str, views: list[FaceView]) -> Iterator[tuple[str, str]]:
    yield "name", fold(card.name)
    yield "name_key", key
    yield "identity", "".join(card.color_identity)
    yield "mana_value", f"{card.mana_value:g}"
    yield "layout", card.layout
    yield "keywords", joined_set(frozenset(fold(keyword) for keyword in card.keywords))
    yield "traits", joined_set(traits_of(card, views))
    yield "extra", "1" if card.extra else ""


def _face_values(card: CardRecord, view: FaceView) -> tuple[str, ...]:
    face = view.face
    produced = card.produced_mana
    return (
        view.type_line,
        face.mana_cost.upper(),
        "".join(_colors(card, face)),
        face.power or UNTOLD,
        face.toughness or UNTOLD,
        face.loyalty or UNTOLD,
        face.defense or UNTOLD,
        "".join(produced_mana(view) if produced is None else produced),
        view.oracle,
        view.about_itself,
        view.full_oracle,
    )


def _colors(card: CardRecord, face: FaceRecord) -> tuple[str, ...]:
    """The halves of a split card share its colours; a front face always has those of its card."""
    whole = card.layout in _HALVES or face is card.faces[0]
    return card.colors if whole else face.colors
