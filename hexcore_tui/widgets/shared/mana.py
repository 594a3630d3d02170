"""Mana symbols as text: coloured where the terminal has colours, the plain `{2}{W}` always readable."""

from __future__ import annotations

import re

from textual.content import Content

_SYMBOL = re.compile(r"\{([^{}\s]{1,6})\}")
_STYLES = {
    "W": "bold $mana-white",
    "U": "bold $mana-blue",
    "B": "bold $mana-black",
    "R": "bold $mana-red",
    "G": "bold $mana-green",
}
_OTHER_STYLE = "bold $mana-colorless"


def with_symbols(text: str) -> Content:
    """Return cleaned text with its mana symbols coloured; each half of a hybrid has its own colour.

    The letters stay as they are, so without colours nothing is lost.
    """
    content = Content(text)
    for found in _SYMBOL.finditer(text):
        content = content.stylize(_OTHER_STYLE, found.start(), found.end())
        for offset, letter in enumerate(found[1], found.start(1)):
            if letter in _STYLES:
                content = content.stylize(_STYLES[letter], offset, offset + 1)
        if found[1] in _STYLES:
            content = content.stylize(_STYLES[found[1]], found.start(), found.end())
    return content
