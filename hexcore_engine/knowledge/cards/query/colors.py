"""Sets of colours: their names, read and written."""

from __future__ import annotations

from hexcore_engine.knowledge.cards.mana import COLORS
from hexcore_engine.knowledge.cards.query.problems import TermProblem, nearest

COLORLESS = "C"
_WORDS: dict[str, str] = {
    "white": "W", "blue": "U", "black": "B", "red": "R", "green": "G", "colorless": "", "colourless": "",
    "rainbow": COLORS, "fivecolor": COLORS, "all": COLORS,
    # guilds
    "azorius": "WU", "dimir": "UB", "rakdos": "BR", "gruul": "RG", "selesnya": "GW",
    "orzhov": "WB", "izzet": "UR", "golgari": "BG", "boros": "RW", "simic": "GU",
    # colleges
    "silverquill": "WB", "prismari": "UR", "witherbloom": "BG", "lorehold": "RW", "quandrix": "GU",
    # shards and wedges
    "bant": "GWU", "esper": "WUB", "grixis": "UBR", "jund": "BRG", "naya": "RGW",
    "abzan": "WBG", "jeskai": "URW", "sultai": "BGU", "mardu": "RWB", "temur": "GUR",
    # families of three
    "brokers": "GWU", "obscura": "WUB", "maestros": "UBR", "riveteers": "BRG", "cabaretti": "RGW",
    "indatha": "WBG", "raugrin": "URW", "zagoth": "BGU", "savai": "RWB", "ketria": "GUR",
    # four
    "chaos": "UBRG", "aggression": "WBRG", "altruism": "WURG", "growth": "WUBG", "artifice": "WUBR",
    "glint": "UBRG", "dune": "WBRG", "ink": "WURG", "witch": "WUBG", "yore": "WUBR",
}  # fmt: skip
MULTICOLOR = frozenset(("m", "multi", "multicolor", "multicolour", "multicolored", "multicoloured", "gold"))
COLOR_NAMES = (*_WORDS, *sorted(MULTICOLOR))


def parse_colors(text: str, *, colorless_letter: bool = False) -> frozenset[str]:
    """The colours a value names, by a word or by letters; with `colorless_letter` C is one of them.

    Raises:
        TermProblem: when it names no colours.
    """
    word = text.casefold().replace("-", "").replace(" ", "").replace("{", "").replace("}", "")
    if word in _WORDS:
        return frozenset(_WORDS[word] or (COLORLESS if colorless_letter else ""))
    letters = frozenset(word.upper())
    if not word or not letters <= frozenset(COLORS + COLORLESS):
        raise TermProblem(
            f"“{text}” is no colour: use letters of wubrg, c, m or a name such as azorius"
            + nearest(word, COLOR_NAMES)
        )
    if COLORLESS in letters and not colorless_letter:
        if len(letters) > 1:
            raise TermProblem("a card can't be colourless and have colours")
        return frozenset()
    return letters


def color_letters(colors: frozenset[str]) -> str:
    """The usual spelling: small letters in the order wubrg, c for none."""
    return "".join(letter for letter in COLORS + COLORLESS if letter in colors).lower() or "c"
