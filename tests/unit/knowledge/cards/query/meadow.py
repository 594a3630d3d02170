"""A small set of invented cards that differ in everything queries ask for."""

from __future__ import annotations

from hexcore_engine.knowledge.cards.mana import in_color_order, mana_colors, mana_value
from hexcore_engine.knowledge.cards.records import CardRecord, FaceRecord

LEGAL, BANNED, RESTRICTED, NOT_LEGAL = "legal", "banned", "restricted", "not_legal"


def face(
    name: str,
    cost: str,
    type_line: str,
    text: str = "",
    size: str = "",
    *,
    loyalty: str | None = None,
    defense: str | None = None,
    colors: str | None = None,
    indicator: str = "",
) -> FaceRecord:
    """A face; its colours are those of its cost unless told."""
    power, _, toughness = size.partition("/")
    return FaceRecord(
        name, cost, type_line, text, power or None, toughness or None, loyalty, defense,
        mana_colors(cost) if colors is None else tuple(colors), tuple(indicator),
    )  # fmt: skip


def card(
    *faces: FaceRecord,
    layout: str = "normal",
    keywords: tuple[str, ...] = (),
    identity: str | None = None,
    extra: bool = False,
    legalities: dict[str, str] | None = None,
    marks: tuple[str, ...] = (),
    value: float | None = None,
) -> CardRecord:
    """A card of these faces."""
    symbols = "".join(f"{one.mana_cost}{one.oracle_text}" for one in faces)
    return CardRecord(
        name=" // ".join(one.name for one in faces),
        layout=layout,
        mana_value=mana_value(faces[0].mana_cost) if value is None else value,
        colors=in_color_order(
            color for one in (faces if layout == "split" else faces[:1]) for color in one.colors
        ),
        color_identity=mana_colors(symbols) if identity is None else in_color_order(identity),
        keywords=keywords,
        faces=faces,
        extra=extra,
        legalities=legalities,
        marks=marks,
    )


MEADOW = [
    card(face("Moss Otter", "{1}{G}", "Creature — Otter", "", "2/2")),
    card(
        face("Moss Otter Elder", "{2}{G}{G}", "Legendary Creature — Otter Shaman",
             "Trample\nMoss Otter Elder hums. Draw a card.", "4/3"),
        keywords=("Trample",),
    ),
    card(
        face("Bell, the Quiet", "{W}{U}", "Legendary Creature — Human Wizard",
             "Flying (It soars over hedges.)\nWhen Bell enters, ring it.", "1/3"),
        keywords=("Flying",),
    ),
    card(face("Sunken Bell", "{X}{U}{U}", "Artifact", "{T}: Add {U} or {C}.\nThis artifact enters tapped.")),
    card(face("Ember Fox", "{R}", "Creature — Fox", "Haste\n{T}: It gets +2/+1 until dusk.", "3/1"),
         keywords=("Haste",)),
    card(face("Ashen Rite", "{B/R}{B/R}", "Sorcery",
              "Choose one —\n• Each fox gets -1/-1.\n• Nothing else.")),
    card(face("Bog Lamp", "{3}{B/P}", "Artifact Creature — Construct", "It grows.", "*/1+*")),
    card(face("Hedge Maze Keeper", "{4}{G}", "Creature — Elf Druid",
              "{T}: Add one mana of any color.", "0/5")),
    card(face("Pale Grove", "", "Land", "({T}: Nothing.)\n{T}: Add {G} or {W}."), identity="GW"),
    card(
        face("Dawn", "{1}{W}", "Instant", "Gain light.", ""),
        face("Dusk", "{2}{B}", "Sorcery", "Lose light.", ""),
        layout="split", identity="WB",
    ),
    card(
        face("Caterpillar", "{G}", "Creature — Insect", "It waits.", "0/1"),
        face("Night Moth", "", "Creature — Insect", "Flying", "4/4", colors="UB", indicator="UB"),
        layout="transform", identity="GUB",
    ),
    card(face("Old Wanderer", "{3}{U}{U}", "Legendary Planeswalker — Wanderer", "[+1]: Walk.", loyalty="4")),
    card(face("Siege of Reeds", "{2}{R}", "Battle — Siege", "Reeds fall.", defense="5")),
    card(face("Grand Parade", "{W}{U}{B}{R}{G}", "Sorcery", "Everyone marches.")),
    card(face("Ünder the Bridge", "{2}{B}", "Enchantment", "Trolls lurk.")),
    card(face("The Great Pond", "", "Plane — Pond", "Roll {CHAOS}."), layout="planar", extra=True),
]  # fmt: skip
