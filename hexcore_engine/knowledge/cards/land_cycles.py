"""Named cycles of lands, recognised by their texts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hexcore_engine.knowledge.cards.face_view import FaceView

_BASIC_TYPES = frozenset(("plains", "island", "swamp", "mountain", "forest"))
_BASIC = r"(?:plains|island|swamp|mountain|forest)"
_MANA = r"\{[wubrgc]\}"
_TWO = rf"{_MANA} or {_MANA}"
_TWO_TAPS = rf"\{{t\}}: add {_TWO}\."

# Patterns over the folded text without reminders, with `~` for the land itself.
_CYCLES: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.MULTILINE)
    for name, pattern in {
        "bounceland": (
            rf"^when ~ enters, return a land you control to its owner's hand\.(?:.|\n)*add {_MANA}{_MANA}\."
        ),
        "canopyland": rf"^\{{t\}}, pay 1 life: add {_TWO}\.\n\{{1\}}, \{{t\}}, sacrifice ~: draw a card\.",
        "checkland": rf"^~ enters tapped unless you control an? {_BASIC} or an? {_BASIC}\.\n{_TWO_TAPS}$",
        "fastland": r"^~ enters tapped unless you control two or fewer other lands\.",
        "slowland": r"^~ enters tapped unless you control two or more other lands\.",
        "fetchland": (
            rf"^\{{t\}}, pay 1 life, sacrifice ~: search your library for an? {_BASIC} or {_BASIC} card, "
            r"put it onto the battlefield"
        ),
        "filterland": rf"^\{{(?:[wubrg]/[wubrg])\}}, \{{t\}}: add {_MANA}{_MANA}, {_MANA}{_MANA}, or|"
        rf"^\{{1\}}, \{{t\}}: add {_MANA}{_MANA}\.$",
        "gainland": rf"^~ enters tapped\.\nwhen ~ enters, you gain 1 life\.\n{_TWO_TAPS}",
        "painland": rf"^\{{t\}}: add \{{c\}}\.\n\{{t\}}: add {_TWO}\. ~ deals 1 damage to you\.",
        "scryland": r"^~ enters tapped\.\nwhen ~ enters, scry 1\.\n" + _TWO_TAPS,
        "surveilland": r"^~ enters tapped\.\nwhen ~ enters, surveil 1\.",
        "shadowland": rf"^as ~ enters, you may reveal an? {_BASIC} or {_BASIC} card from your hand\.",
        "shockland": r"^as ~ enters, you may pay 2 life\. if you don't, it enters tapped\.",
        "storageland": r"storage counter",
        "creatureland": r"(?:~|\bit) becomes an? [^.\n]*\bcreature\b",
        "battleland": r"^~ enters tapped unless you control two or more basic lands\.",
        "bondland": r"^~ enters tapped unless you have two or more opponents\.",
        "triland": rf"^~ enters tapped\.\n\{{t\}}: add {_MANA}, {_MANA}, or {_MANA}\.",
    }.items()
}
_ALSO_CALLED: dict[str, tuple[str, ...]] = {
    "bounceland": ("karoo",),
    "canopyland": ("canland", "horizonland"),
    "creatureland": ("manland",),
    "shadowland": ("snarl", "revealland"),
    "battleland": ("tangoland",),
    "bikeland": ("cycleland", "bicycleland"),
    "tricycleland": ("triome", "trikeland"),
    "surveilland": ("surveiledland",),
    "bondland": ("crowdland",),
}
_BY_TYPE = ("dual", "bikeland", "tricycleland")
LAND_CYCLE_NAMES = frozenset(
    (*_CYCLES, *_BY_TYPE, *(name for names in _ALSO_CALLED.values() for name in names))
)
_TYPED_CYCLES = frozenset(("shockland", "battleland", "surveilland"))


def land_cycles(view: FaceView) -> Iterator[str]:
    """The cycles a land belongs to, under all their names."""
    if "land" in view.kinds and "basic" not in view.kinds:
        for name in _cycles(view):
            yield name
            yield from _ALSO_CALLED.get(name, ())


def _cycles(view: FaceView) -> Iterator[str]:
    text = view.about_itself
    num_types = len(_BASIC_TYPES & view.kinds)
    for cycle, pattern in _CYCLES.items():
        if pattern.search(text) and (cycle not in _TYPED_CYCLES or num_types >= 2):
            yield cycle
    has_cycling = any(line.startswith("cycling") for line in text.split("\n"))
    if num_types == 2 and has_cycling:
        yield "bikeland"
    if num_types == 3 and has_cycling:
        yield "tricycleland"
    if num_types == 2 and not text:
        yield "dual"
