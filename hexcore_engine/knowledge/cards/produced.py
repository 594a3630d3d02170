"""The mana a face can add, read from its text."""

from __future__ import annotations

import re

from hexcore_engine.knowledge.cards.face_view import FaceView
from hexcore_engine.knowledge.cards.mana import COLORS, in_color_order, mana_symbols

COLORLESS = "C"
_ADDS = re.compile(r"\badds? ([^.\n]*)")
_ANY_COLOR = re.compile(
    r"mana of any|any (?:one )?color|any combination of colors|mana of the chosen color|mana of that color"
    r"|mana of different colors|one mana of each color|mana in any combination"
)
_BASIC_MANA = {"plains": "W", "island": "U", "swamp": "B", "mountain": "R", "forest": "G"}


def produced_mana(view: FaceView) -> tuple[str, ...]:
    """Letters of WUBRGC in that order: those after "add", those of basic land types, all five for "any
    color"."""
    letters: set[str] = set()
    if "land" in view.kinds:
        letters.update(letter for name, letter in _BASIC_MANA.items() if name in view.kinds)
    for clause in _ADDS.findall(view.oracle):
        if _ANY_COLOR.search(clause):
            letters.update(COLORS)
        letters.update(letter for symbol in mana_symbols(clause) for letter in symbol.upper().split("/"))
    return (*in_color_order(letters), *((COLORLESS,) if COLORLESS in letters else ()))
