"""Mana costs as queries compare them: how often each symbol stands in them, generic mana counted by its
number."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

from hexcore_engine.knowledge.cards.mana import COLORS
from hexcore_engine.knowledge.cards.query.problems import TermProblem

GENERIC = "1"
_WRITTEN = re.compile(r"\{([^{}\s]+)\}|(\d+)|([wubrgcsxyz])", re.IGNORECASE)
_ORDER = "WUBRGC"
_KNOWN_PART = re.compile(r"[WUBRGCPSXYZTQHD]|H[WUBRG]|\d+|∞|½")

Cost = Counter[str]


@cache
def read_cost(text: str) -> Cost:
    """The symbols of a cost, in braces or as plain letters and digits.

    Raises:
        TermProblem: naming the part that is no mana symbol.
    """
    cost: Cost = Counter()
    place = 0
    for found in _WRITTEN.finditer(text):
        if found.start() != place:
            break
        place = found.end()
        symbol = normal_symbol(found[1] or found[2] or found[3])
        if symbol.isdecimal():
            cost[GENERIC] += int(symbol)
        else:
            cost[symbol] += 1
    if place != len(text) or not text:
        raise TermProblem(f"“{text[place:]}” is no mana symbol; costs look like 2WW or {{2}}{{W/U}}")
    return +cost


def normal_symbol(symbol: str) -> str:
    """A symbol in capitals, the halves of a hybrid in one order whichever way they were written."""
    parts = symbol.upper().split("/")
    for part in parts:
        if not _KNOWN_PART.fullmatch(part):
            raise TermProblem(f"{{{symbol}}} is no mana symbol")
    return "/".join(sorted(parts, key=lambda part: (part == "P", _ORDER.find(part), part)))


@cache
def card_cost(text: str) -> Cost:
    """The cost of a card's face; what it holds beside known symbols counts as it is written."""
    try:
        return read_cost(text) if text else Counter()
    except TermProblem:
        return Counter(re.findall(r"\{([^{}]+)\}", text))


def num_pips(text: str) -> int:
    """How many coloured symbols a cost has."""
    return sum(
        count
        for symbol, count in card_cost(text).items()
        if any(part in COLORS for part in symbol.split("/"))
    )


def devotion(text: str, colors: frozenset[str]) -> int:
    """How many symbols of a cost are of one of the colours."""
    return sum(count for symbol, count in card_cost(text).items() if not colors.isdisjoint(symbol.split("/")))


def write_cost(cost: Cost) -> str:
    """The usual spelling."""
    generic = [f"{{{cost[GENERIC]}}}"] if cost[GENERIC] or not cost else []
    symbols = sorted(
        (symbol for symbol in cost if symbol != GENERIC), key=lambda s: (len(s), _ORDER.find(s), s)
    )
    return "".join([*(f"{{{s}}}" * cost[s] for s in symbols if s in "XYZ"), *generic,
                    *(f"{{{s}}}" * cost[s] for s in symbols if s not in "XYZ")]).lower()  # fmt: skip
