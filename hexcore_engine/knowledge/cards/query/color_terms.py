"""Terms about colours and mana: `c:`, `id:`, `m:`, `devotion:`, `produces:`."""

from __future__ import annotations

from hexcore_engine.knowledge.cards.query.colors import (
    MULTICOLOR,
    color_letters,
    parse_colors,
)
from hexcore_engine.knowledge.cards.query.comparing import holds
from hexcore_engine.knowledge.cards.query.costs import (
    Cost,
    card_cost,
    devotion,
    read_cost,
    write_cost,
)
from hexcore_engine.knowledge.cards.query.leaves import Leaf, leaf_of_both, leaf_where
from hexcore_engine.knowledge.cards.query.lexer import Style, Token
from hexcore_engine.knowledge.cards.query.problems import TermProblem

_PERMANENTS = ("creature", "artifact", "enchantment", "planeswalker", "battle", "land")


def color_leaf(token: Token) -> Leaf:
    """`c:`: the colours of a face; `c:rg` is "red and green, perhaps more"."""
    return _colors(token, "c", "colors", ">=")


def identity_leaf(token: Token) -> Leaf:
    """`id:`: the colour identity; `id:rg` is "nothing but red and green", what such a deck may play."""
    return _colors(token, "id", "identity", "<=")


def produces_leaf(token: Token) -> Leaf:
    """`produces:`: the mana a face can add; `produces:wu` is "white and blue, perhaps more"."""
    return _colors(token, "produces", "produced", ">=", with_colorless=True)


def _colors(token: Token, field: str, column: str, default: str, *, with_colorless: bool = False) -> Leaf:
    _refuse_regex(token)
    operator = default if token.operator == ":" else token.operator
    value = token.value.casefold()
    if value.isdecimal():
        return _count(field, column, token.operator, int(value))
    if value in MULTICOLOR:
        return _multicolor(field, column, token.operator)
    wanted = parse_colors(token.value, colorless_letter=with_colorless)
    if not wanted and token.operator == ":":
        operator = "="
    if with_colorless:
        # What adds no mana is smaller than everything, and yet not what was asked for.
        return leaf_where(
            f"{field}{operator}{color_letters(wanted)}",
            column,
            lambda letters: letters != "" and holds(frozenset(letters), operator, wanted),
        )
    return leaf_where(
        f"{field}{operator}{color_letters(wanted)}",
        column,
        lambda letters: holds(frozenset(letters), operator, wanted),
    )


def _count(field: str, column: str, operator: str, number: int) -> Leaf:
    sign = "=" if operator == ":" else operator
    return leaf_where(f"{field}{sign}{number}", column, lambda letters: holds(len(letters), sign, number))


def _multicolor(field: str, column: str, operator: str) -> Leaf:
    if operator not in (":", "=", "!="):
        raise TermProblem("multicolour takes : or != only")
    several = operator != "!="
    return leaf_where(
        f"{field}{'>=' if several else '<'}2", column, lambda letters: (len(letters) >= 2) == several
    )


def mana_leaf(token: Token) -> Leaf:
    """`m:`: the mana cost; `m:2ww` is "all of these symbols, perhaps more"."""
    _refuse_regex(token)
    wanted = read_cost(token.value)
    operator = token.operator
    if operator == ":":
        # Every cost holds nothing and perhaps more; who types m:0 means what is cast for nothing.
        operator = ">=" if wanted else "="

    def costs_so(cost: str) -> bool:
        return cost != "" and holds(card_cost(cost), operator, wanted)

    return leaf_where(f"m{operator}{write_cost(wanted)}", "mana_cost", costs_so)


def devotion_leaf(token: Token) -> Leaf:
    """`devotion:`: how many symbols of a colour, or of either of two, a permanent's cost has."""
    _refuse_regex(token)
    operator = ">=" if token.operator == ":" else token.operator
    colors, number = _devotion_value(read_cost(token.value), token.value)

    def has_pips(cost: str) -> bool:
        return cost != "" and holds(devotion(cost, colors), operator, number)

    def is_permanent(type_line: str) -> bool:
        return any(kind in type_line for kind in _PERMANENTS)

    reading = f"devotion{operator}{write_cost(read_cost(token.value))}"
    return leaf_of_both(reading, ("mana_cost", has_pips), ("type_line", is_permanent))


def _devotion_value(cost: Cost, text: str) -> tuple[frozenset[str], int]:
    if len(cost) != 1:
        raise TermProblem(f"“{text}” is not one symbol or the same one several times, e.g. {{u/b}}{{u/b}}")
    ((symbol, number),) = cost.items()
    colors = frozenset(symbol.split("/"))
    if not colors <= frozenset("WUBRG"):
        raise TermProblem(f"“{text}” is no coloured mana")
    return colors, number


def _refuse_regex(token: Token) -> None:
    if token.style is Style.REGEX:
        raise TermProblem(f"{token.field}: takes no expression")
