"""Oracle text as queries see it: without its reminders, and with the card's own name as `~`."""

from __future__ import annotations

import re

SELF = "~"
_REMINDER = re.compile(r" ?\([^()]*\)")
# What a card calls itself where it doesn't use its name.
THIS_CARD = (
    r"\bthis (?:creature|land|artifact|enchantment|planeswalker|battle|permanent|spell|card|token|aura"
    r"|equipment|vehicle|saga|class|case|room|siege|scheme|plane|conspiracy|mount|spacecraft|food|fortification"
    r"|instant|sorcery|emblem|vanguard|phenomenon)\b"
)
_THIS = re.compile(THIS_CARD)
_TITLES = (" the ", " of ", " from ", " who ")
_SHORTEST_SHORT_NAME = 3


def without_reminder(text: str) -> str:
    """The text without what stands in parentheses."""
    return _REMINDER.sub("", text).strip() if "(" in text else text


def own_names(name: str, *, legendary: bool) -> tuple[str, ...]:
    """The names a card's text may use for the card, the longest first: all of it, and for legends what stands
    before the comma or the title."""
    short = []
    if legendary and "," in name:
        short.append(name.split(",")[0])
    elif legendary:
        short += [name.split(title)[0] for title in _TITLES if title in name]
    return (name, *(known for known in short if len(known) >= _SHORTEST_SHORT_NAME))


def say_self(text: str, names: tuple[str, ...]) -> str:
    """The text with each of the card's own names, and each "this creature", as `~`; all folded."""
    for name in names:
        if name and name in text:
            text = _say_name(text, name)
    return _THIS.sub(SELF, text) if "this " in text else text


def _say_name(text: str, name: str) -> str:
    """The text with `name` as `~` where it is no part of a longer word. An expression would have to be
    compiled for each card."""
    pieces = []
    begin = found = 0
    while (found := text.find(name, found)) >= 0:
        end = found + len(name)
        if _is_word(text[found - 1 : found]) or _is_word(text[end : end + 1]):
            found += 1
        else:
            pieces += [text[begin:found], SELF]
            begin = found = end
    return "".join((*pieces, text[begin:]))


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"
