"""Numbers of cards: mana value, power and the like, compared with a number or with one another."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from hexcore_engine.knowledge.cards.query.comparing import holds
from hexcore_engine.knowledge.cards.query.costs import num_pips
from hexcore_engine.knowledge.cards.query.leaves import Leaf, leaf_over, leaf_where
from hexcore_engine.knowledge.cards.query.lexer import Style, Token
from hexcore_engine.knowledge.cards.query.problems import IMPORT_CARDS, DataMissing, TermProblem

_STAR = "*"
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")
_DICE = re.compile(r"\d*d\d+")
_ODDITIES = {"∞": "1e999", "½": ".5", "−": "-"}

Value = float | None  # None where the face has no such number


@dataclass(frozen=True)
class _Quantity:
    name: str
    columns: tuple[str, ...]
    value: Callable[..., Value]
    # Whether it can be asked for as it is written, stars and all.
    written: bool = False


@cache
def printed_number(text: str) -> Value:
    """The value of a printed number; a star, a question mark or a letter counts 0. None of nothing."""
    if not text:
        return None
    for sign, number in _ODDITIES.items():
        text = text.replace(sign, number)
    if text == "1e999":
        return math.inf
    return sum(float(number) for number in _NUMBER.findall(_DICE.sub("", text)))


def _sum(first: str, second: str) -> Value:
    one, other = printed_number(first), printed_number(second)
    return None if one is None or other is None else one + other


def _pips(cost: str) -> Value:
    return float(num_pips(cost))


_QUANTITIES = {
    "mv": _Quantity("mv", ("mana_value",), float),
    "pow": _Quantity("pow", ("power",), printed_number, written=True),
    "tou": _Quantity("tou", ("toughness",), printed_number, written=True),
    "loy": _Quantity("loy", ("loyalty",), printed_number, written=True),
    "def": _Quantity("def", ("defense",), printed_number, written=True),
    "pt": _Quantity("pt", ("power", "toughness"), _sum),
    "pips": _Quantity("pips", ("mana_cost",), _pips),
}
# What is compared -> the fields that name it.
NUMBER_FIELDS: dict[str, tuple[str, ...]] = {
    "mv": ("mv", "manavalue", "cmc"),
    "pow": ("pow", "power"),
    "tou": ("tou", "toughness"),
    "pt": ("pt", "powtou"),
    "loy": ("loy", "loyalty"),
    "def": ("def", "defense", "defence"),
    "pips": ("pips", "pip"),
}
_ALIASES = {field: name for name, fields in NUMBER_FIELDS.items() for field in fields}


def number_leaf(token: Token, has_defense: bool = True) -> Leaf:
    """Compile a comparison of numbers; `has_defense` when the loaded cards tell that of battles.

    Raises:
        TermProblem: when the value is neither a number nor a field.
        DataMissing: when it asks for what the loaded cards don't tell.
    """
    if not has_defense and "def" in (_ALIASES[token.field], _ALIASES.get(token.value.casefold())):
        raise DataMissing(f"the loaded cards don't tell the defense of battles; {IMPORT_CARDS}")
    quantity = _QUANTITIES[_ALIASES[token.field]]
    operator = "=" if token.operator == ":" else token.operator
    text = token.value.casefold()
    if token.style is Style.REGEX:
        raise TermProblem("numbers take no expression; write e.g. pow>=4")
    if text in ("even", "odd"):
        return _parity(quantity, operator, text)
    if text in _ALIASES:
        return _comparison(quantity, operator, _QUANTITIES[_ALIASES[text]])
    if quantity.written and _STAR in text:
        return _as_written(quantity, operator, text)
    if not _NUMBER.fullmatch(text):
        raise TermProblem(f"“{token.value}” is no number; write a number, or one of {', '.join(_QUANTITIES)}")
    return _against(quantity, operator, float(text))


def _leaf(reading: str, columns: tuple[str, ...], predicate: Callable[..., bool]) -> Leaf:
    if len(columns) == 1:
        return leaf_where(reading, columns[0], predicate)
    return leaf_over(reading, columns, predicate)


def _against(quantity: _Quantity, operator: str, number: float) -> Leaf:
    def matches(*values: str) -> bool:
        value = quantity.value(*values)
        return value is not None and holds(value, operator, number)

    return _leaf(f"{quantity.name}{operator}{number:g}", quantity.columns, matches)


def _comparison(left: _Quantity, operator: str, right: _Quantity) -> Leaf:
    middle = len(left.columns)

    def matches(*values: str) -> bool:
        one, other = left.value(*values[:middle]), right.value(*values[middle:])
        return one is not None and other is not None and holds(one, operator, other)

    return leaf_over(f"{left.name}{operator}{right.name}", (*left.columns, *right.columns), matches)


def _parity(quantity: _Quantity, operator: str, word: str) -> Leaf:
    if operator not in ("=", "!="):
        raise TermProblem(f"{word} takes = or !=")
    remainder = 1 if (word == "odd") == (operator == "=") else 0

    def matches(*values: str) -> bool:
        value = quantity.value(*values)
        return value is not None and value % 2 == remainder

    return _leaf(f"{quantity.name}{operator}{word}", quantity.columns, matches)


def _as_written(quantity: _Quantity, operator: str, text: str) -> Leaf:
    if operator not in ("=", "!="):
        raise TermProblem("a star takes = or !=")

    def matches(value: str) -> bool:
        same = _STAR in value if text == _STAR else value == text
        return bool(value) and same == (operator == "=")

    return leaf_where(f"{quantity.name}{operator}{text}", quantity.columns[0], matches)
