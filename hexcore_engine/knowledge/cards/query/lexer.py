"""Cutting a query into tokens. Nothing is refused here: what makes no sense is told by the parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """Kinds of tokens."""

    OPEN = "("
    CLOSE = ")"
    OR = "or"
    AND = "and"
    NOT = "-"
    TERM = "term"


class Style(Enum):
    """How a value is written."""

    PLAIN = "plain"
    QUOTED = "quoted"
    REGEX = "regex"


@dataclass(frozen=True)
class Token:
    """One token as written at `column` (the first is 1). A term has a field ("" for a name, "!" for an exact
    name), an operator and a value; `open_ended` when its quote or expression is never closed."""

    kind: Kind
    column: int
    text: str
    field: str = ""
    operator: str = ""
    value: str = ""
    style: Style = Style.PLAIN
    open_ended: bool = False


_SPACE = re.compile(r"\s+")
_FIELD = re.compile(r"([A-Za-z]+|\*)(!=|<=|>=|[:=<>])")
_PLAIN = re.compile(r"[^\s()]+")
_WORDS = {"or": Kind.OR, "and": Kind.AND}
# Opening sign -> the signs that close it; a curved one may be closed by a straight one.
_QUOTES = {'"': '"', "“": '”"', "„": '“”"', "'": "'"}
_SIGNS = {"(": Kind.OPEN, ")": Kind.CLOSE}
# Short for unique:prints and unique:art.
_UNIQUE = {"++": "prints", "@@": "art"}


def tokens(query: str) -> Iterator[Token]:
    """The tokens of a query, in order."""
    place = 0
    while place < len(query):
        space = _SPACE.match(query, place)
        if space:
            place = space.end()
            continue
        token = _token_at(query, place)
        yield token
        place += len(token.text)


def _token_at(query: str, place: int) -> Token:
    sign = query[place]
    column = place + 1
    if sign in _SIGNS:
        return Token(_SIGNS[sign], column, sign)
    if sign == "-":
        return Token(Kind.NOT, column, sign)
    if sign == "!":
        return _term(query, place, "!", "", place + 1)
    field = _FIELD.match(query, place)
    if field:
        return _term(query, place, field[1], field[2], field.end())
    if _closing(query, place) is not None:
        return _term(query, place, "", "", place)
    word = _PLAIN.match(query, place)
    text = word.group() if word else sign
    if text in _UNIQUE:
        return Token(Kind.TERM, column, text, "unique", ":", _UNIQUE[text])
    return Token(_WORDS.get(text.lower(), Kind.TERM), column, text, value=text)


def _term(query: str, start: int, field: str, operator: str, place: int) -> Token:
    """The term that begins at `start` and whose value begins at `place`."""
    value, style, end, open_ended = _value(query, place, allow_regex=bool(operator))
    return Token(Kind.TERM, start + 1, query[start:end], field.lower(), operator, value, style, open_ended)


def _value(query: str, place: int, *, allow_regex: bool) -> tuple[str, Style, int, bool]:
    if allow_regex and query.startswith("/", place):
        end = _regex_end(query, place + 1)
        closed = end < len(query)
        return query[place + 1 : end].replace("\\/", "/"), Style.REGEX, end + closed, not closed
    closing = _closing(query, place)
    if closing is not None:
        closed = closing < len(query)
        return query[place + 1 : closing], Style.QUOTED, closing + closed, not closed
    plain = _PLAIN.match(query, place)
    return (plain.group(), Style.PLAIN, plain.end(), False) if plain else ("", Style.PLAIN, place, False)


def _closing(query: str, place: int) -> int | None:
    """Where the quote that opens at `place` is closed (the query's length when never); None for no quote."""
    quote = query[place : place + 1]
    if not quote or quote not in _QUOTES:
        return None
    ends = [end for sign in _QUOTES[quote] if (end := query.find(sign, place + 1)) > 0]
    if ends:
        return min(ends)
    # A lone apostrophe begins a word.
    return None if quote == "'" else len(query)


def _regex_end(query: str, place: int) -> int:
    while place < len(query) and query[place] != "/":
        place += 2 if query[place] == "\\" else 1
    return min(place, len(query))
