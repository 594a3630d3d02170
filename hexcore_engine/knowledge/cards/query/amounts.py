"""Amounts in words: "4 or more" and "4 or less" are one word, for this `or` joins no terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hexcore_engine.knowledge.cards.query.lexer import Kind, Style, Token

_SIGNS = {
    **dict.fromkeys(("more", "greater", "higher"), "+"),
    **dict.fromkeys(("less", "lower", "fewer", "smaller"), "-"),
}


def join_amounts(tokens: Sequence[Token]) -> list[Token]:
    """The tokens, three bare words like "4 or more" as the one word "4+", and "4 or less" as "4-"."""
    joined: list[Token] = []
    place = 0
    while place < len(tokens):
        amount = _amount(tokens[place : place + 3])
        joined.append(amount or tokens[place])
        place += 3 if amount else 1
    return joined


def _amount(words: Sequence[Token]) -> Token | None:
    if len(words) < 3 or words[1].kind is not Kind.OR:
        return None
    number, _, than = words
    sign = _SIGNS.get(than.value.casefold().rstrip(",.;?!"))
    if sign is None or not number.value[-1:].isdecimal() or not (_is_word(number) and _is_word(than)):
        return None
    return replace(number, text=" ".join(word.text for word in words), value=f"{number.value}{sign}")


def _is_word(token: Token) -> bool:
    return token.kind is Kind.TERM and token.field == "" and token.style is Style.PLAIN
