"""The order of a list of cards."""

from __future__ import annotations

from dataclasses import dataclass

from hexcore_engine.knowledge.cards.columns import CardColumns
from hexcore_engine.knowledge.cards.mana import COLORS
from hexcore_engine.knowledge.cards.query.numbers import printed_number
from hexcore_engine.knowledge.cards.query.problems import DataMissing, TermProblem, nearest

_KEYS = {"name": "name", "cmc": "mv", "mv": "mv", "manavalue": "mv", "power": "power", "pow": "power",
         "toughness": "toughness", "tou": "toughness", "color": "color", "colour": "color"}  # fmt: skip
_ABSENT = frozenset(
    ("artist", "set", "usd", "tix", "eur", "rarity", "released", "spoiled", "edhrec", "review", "penny")
)
_COLUMNS = {"mv": "mana_value", "power": "power", "toughness": "toughness", "color": "colors"}
_DIRECTIONS = {"asc": False, "ascending": False, "desc": True, "descending": True}
_ColorKey = tuple[int, tuple[int, ...]]


@dataclass
class Order:
    """By name unless something else was asked for; cards without the number come last either way."""

    key: str = "name"
    descending: bool = False

    def sort(self, columns: CardColumns, card_ids: list[int]) -> list[int]:
        """The cards in this order, given in the order of their names."""
        if self.key == "name":
            return card_ids[::-1] if self.descending else card_ids
        column = columns.column(_COLUMNS[self.key])
        if self.key == "color":
            color_keys = [_color_key(value) for value in column.values]
            return sorted(card_ids, key=lambda card: color_keys[column.codes[card]], reverse=self.descending)
        numbers = [printed_number(value) for value in column.values]
        told = [card for card in card_ids if numbers[column.codes[card]] is not None]
        untold = [card for card in card_ids if numbers[column.codes[card]] is None]
        ordered = sorted(told, key=lambda card: numbers[column.codes[card]] or 0.0, reverse=self.descending)
        return ordered + untold


def _color_key(letters: str) -> _ColorKey:
    """One colour before two, in the order WUBRG; colourless last."""
    return len(letters) or len(COLORS) + 1, tuple(COLORS.index(letter) for letter in letters)


def read_order(value: str) -> str:
    """The key a value of `order:` names.

    Raises:
        TermProblem: when there is no such key.
    """
    word = value.casefold()
    if word in _ABSENT:
        raise DataMissing(
            f"the card data holds nothing to order by {word}; cmc, power, toughness, name and color are known"
        )
    if word not in _KEYS:
        raise TermProblem(
            f"“{value}” is no order: use cmc, power, toughness, name or color{nearest(word, _KEYS)}"
        )
    return _KEYS[word]


def read_direction(value: str) -> bool:
    """Whether the largest come first."""
    word = value.casefold()
    if word not in _DIRECTIONS:
        raise TermProblem("direction: is asc or desc")
    return _DIRECTIONS[word]
