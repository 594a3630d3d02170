"""What a mana cost says: its value and its colours."""

from __future__ import annotations

import re
from collections.abc import Iterable

COLORS = "WUBRG"
_SYMBOL = re.compile(r"\{([^{}]+)\}")


def mana_symbols(text: str) -> list[str]:
    """The symbols of `text` without their braces, in order."""
    return _SYMBOL.findall(text)


def mana_value(cost: str) -> float:
    """The mana value of a cost; variables count 0, halves 0.5, a hybrid its larger half."""
    return sum(_symbol_value(symbol) for symbol in mana_symbols(cost))


def mana_colors(text: str) -> tuple[str, ...]:
    """The colours of the mana symbols in `text`, in the order WUBRG."""
    return in_color_order(letter for symbol in mana_symbols(text) for letter in symbol)


def in_color_order(letters: Iterable[str]) -> tuple[str, ...]:
    """The colours among `letters`, each once, in the order WUBRG."""
    present = set(letters)
    return tuple(color for color in COLORS if color in present)


def _symbol_value(symbol: str) -> float:
    first = symbol.split("/")[0]
    if first.isdecimal():
        return int(first)
    if symbol in ("X", "Y", "Z"):
        return 0
    return 0.5 if len(symbol) == 2 and symbol.startswith("H") else 1
