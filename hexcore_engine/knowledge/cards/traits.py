"""What `is:` asks for: traits of a card that follow from its kinds, costs, size and text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from hexcore_engine.knowledge.cards.face_view import FaceView
from hexcore_engine.knowledge.cards.land_cycles import LAND_CYCLE_NAMES, land_cycles
from hexcore_engine.knowledge.cards.mana import mana_symbols
from hexcore_engine.knowledge.cards.records import CardRecord

_LAYOUTS = (
    "split", "flip", "transform", "meld", "leveler", "adventure", "saga", "class", "prototype", "prepare",
    "aftermath", "mutate", "case",
)  # fmt: skip
_DOUBLE_FACED = frozenset(("transform", "modal_dfc", "meld", "double_faced_token", "reversible_card"))
# Layouts of which any face may be cast from the hand; of others the front alone.
_CAST_BY_ANY_FACE = frozenset(("split", "aftermath", "adventure", "prepare", "modal_dfc"))
_PERMANENT_TYPES = frozenset(("creature", "artifact", "enchantment", "land", "planeswalker", "battle"))
# Words of the type line of cards that are no part of an ordinary deck.
EXTRA_TYPES = frozenset(
    (
        "plane", "phenomenon", "phenome-nom", "scheme", "vanguard", "conspiracy", "stickers", "dungeon",
        "emblem", "card",
    )
)  # fmt: skip
_NO_SPELL_TYPES = EXTRA_TYPES | {"land"}
_PARTY = frozenset(("cleric", "rogue", "warrior", "wizard"))
_OUTLAWS = frozenset(("assassin", "mercenary", "pirate", "rogue", "warlock"))
_FUNNY_LAYOUTS = frozenset(("host", "augment"))
_FUNNY_SYMBOLS = ("{TK}", "{½}", "{HW}", "{HR}", "{∞}")
# Keywords that are a line of their own on a creature without any other ability.
_FRENCH_VANILLA = frozenset(
    (
        "deathtouch", "defender", "double strike", "first strike", "flash", "flying", "haste", "hexproof",
        "indestructible", "lifelink", "menace", "reach", "trample", "vigilance", "shroud", "ward", "fear",
        "intimidate", "skulk", "shadow", "horsemanship", "flanking", "wither", "infect", "prowess", "exalted",
        "banding", "changeling", "persist", "undying", "riot", "devoid", "convoke", "delve", "improvise",
        "cascade", "storm", "evolve", "extort", "mentor", "training", "myriad", "melee", "dethrone",
        "battle cry",
        "afflict", "annihilator", "bloodthirst", "bushido", "rampage", "toxic", "modular", "unearth",
        "cycling",
        "protection", "plainswalk", "islandwalk", "swampwalk", "mountainwalk", "forestwalk", "landwalk",
        "morph",
        "megamorph", "madness", "evoke", "echo", "fading", "vanishing", "dash", "blitz", "encore",
        "eternalize",
        "embalm", "graft", "devour", "soulbond", "unleash", "sunburst", "affinity", "suspend", "ninjutsu",
        "outlast", "scavenge", "bestow", "dredge", "provoke", "absorb", "amplify", "poisonous", "frenzy",
        "typecycling", "plainscycling", "islandcycling", "swampcycling", "mountaincycling", "forestcycling",
        "landcycling", "basic landcycling", "wizardcycling", "slivercycling", "partner", "afterlife",
        "casualty",
        "backup", "disguise", "offspring", "emerge", "surge", "escape", "disturb", "ingest", "decayed",
        "haunt",
        "champion", "offering", "phasing", "kicker", "multikicker", "enlist", "squad", "spectacle", "plot",
        "warp", "mobilize", "read ahead", "living weapon", "hideaway", "level up", "split second", "buyback",
        "flashback", "retrace", "rebound", "compleated", "foretell",
    )
)  # fmt: skip
_KEYWORD_TAIL = re.compile(r"(?:[—-].*|\{.*|\b(?:from|for|with|if)\b.*|\b(?:x|\d+)\b.*)$")
_CHANGELING = re.compile(r"^changeling\b", re.MULTILINE)
_COMPANION = re.compile(r"^companion\b", re.MULTILINE)
_PARTNER = re.compile(r"^(?:partner\b|friends forever|choose a background|doctor's companion)", re.MULTILINE)
_MODAL = re.compile(r"\bchoose (?:one|two|three|four|any number|up to|x|one or|—)|\bchoose [^.\n]*—\s*\n?•")


def traits_of(card: CardRecord, views: Sequence[FaceView]) -> frozenset[str]:
    """The names of the card's traits, as `is:` asks for them."""
    found = {name for view in views for name, holds in _TRAITS.items() if holds(card, view)}
    found.update(name for name in _LAYOUTS if card.layout == name)
    if card.layout in _DOUBLE_FACED:
        found.add("dfc")
    if card.layout == "modal_dfc":
        found.add("mdfc")
    if card.layout == "meld":
        found.discard("transform")
    if any(face.color_indicator for face in card.faces):
        found.add("indicator")
    for view in views:
        found.update(land_cycles(view))
    found.update(_commander_traits(views[0]))
    found.update(card.marks)
    return frozenset(found)


def _symbols(view: FaceView) -> list[str]:
    return [symbol.upper() for symbol in mana_symbols(f"{view.face.mana_cost}{view.full_oracle}")]


def _is_hybrid(card: CardRecord, view: FaceView) -> bool:
    return any("/" in symbol and symbol.split("/")[1:] != ["P"] for symbol in _symbols(view))


def _is_phyrexian(card: CardRecord, view: FaceView) -> bool:
    return any(symbol.endswith("/P") for symbol in _symbols(view))


def _is_permanent(card: CardRecord, view: FaceView) -> bool:
    return not _PERMANENT_TYPES.isdisjoint(view.kinds) and view.face is card.faces[0]


def _is_spell(card: CardRecord, view: FaceView) -> bool:
    can_be_cast = view.face is card.faces[0] or card.layout in _CAST_BY_ANY_FACE
    return can_be_cast and _NO_SPELL_TYPES.isdisjoint(view.kinds) and "token" not in card.layout


def _is_historic(card: CardRecord, view: FaceView) -> bool:
    return not view.kinds.isdisjoint(("legendary", "artifact", "saga"))


def _is_party(card: CardRecord, view: FaceView) -> bool:
    return not _PARTY.isdisjoint(view.kinds) or _is_changeling(view)


def _is_outlaw(card: CardRecord, view: FaceView) -> bool:
    return not _OUTLAWS.isdisjoint(view.kinds) or _is_changeling(view)


def _is_changeling(view: FaceView) -> bool:
    return "changeling" in view.oracle and _CHANGELING.search(view.oracle) is not None


def _is_modal(card: CardRecord, view: FaceView) -> bool:
    return ("•" in view.oracle and _MODAL.search(view.oracle) is not None) or view.oracle.startswith("spree")


def _is_vanilla(card: CardRecord, view: FaceView) -> bool:
    return "creature" in view.kinds and not view.oracle and len(card.faces) == 1


def _is_french_vanilla(card: CardRecord, view: FaceView) -> bool:
    if "creature" not in view.kinds or not view.oracle:
        return False
    parts = [
        part.strip() for line in view.oracle.split("\n") for part in re.split(r"[,;]", line) if part.strip()
    ]
    return bool(parts) and all(_KEYWORD_TAIL.sub("", part).strip() in _FRENCH_VANILLA for part in parts)


def _is_bear(card: CardRecord, view: FaceView) -> bool:
    return (
        "creature" in view.kinds
        and card.mana_value == 2
        and view.face is card.faces[0]
        and (view.face.power, view.face.toughness) == ("2", "2")
    )


def _is_funny(card: CardRecord, view: FaceView) -> bool:
    symbols = any(symbol in f"{view.face.mana_cost}{view.face.oracle_text}" for symbol in _FUNNY_SYMBOLS)
    fraction = "." in f"{view.face.power}{view.face.toughness}"
    return card.layout in _FUNNY_LAYOUTS or "stickers" in view.kinds or symbols or fraction


def _is_battle(card: CardRecord, view: FaceView) -> bool:
    return "battle" in view.kinds


def _is_token(card: CardRecord, view: FaceView) -> bool:
    return "token" in card.layout


def _is_back_missing(card: CardRecord, view: FaceView) -> bool:
    return bool(card.missing_faces)


def _is_rebalanced(card: CardRecord, view: FaceView) -> bool:
    return card.name.startswith("A-")


def _is_devoid(card: CardRecord, view: FaceView) -> bool:
    return "Devoid" in card.keywords


_TRAITS: dict[str, Callable[[CardRecord, FaceView], bool]] = {
    "hybrid": _is_hybrid,
    "phyrexian": _is_phyrexian,
    "permanent": _is_permanent,
    "spell": _is_spell,
    "historic": _is_historic,
    "party": _is_party,
    "outlaw": _is_outlaw,
    "modal": _is_modal,
    "vanilla": _is_vanilla,
    "frenchvanilla": _is_french_vanilla,
    "bear": _is_bear,
    "funny": _is_funny,
    "battle": _is_battle,
    "token": _is_token,
    "incomplete": _is_back_missing,
    "rebalanced": _is_rebalanced,
    "devoid": _is_devoid,
}


def _commander_traits(view: FaceView) -> Iterator[str]:
    """Roles in decks with a commander, which a card has by its front: no other face is seen in the command
    zone."""
    types = view.kinds
    legend = "legendary" in types
    vehicle = not types.isdisjoint(("vehicle", "spacecraft")) and view.face.power is not None
    leads = (legend and ("creature" in types or vehicle)) or "can be your commander" in view.oracle
    if leads and "background" not in types:
        yield from ("commander", "duelcommander")
    if leads or (legend and not types.isdisjoint(("planeswalker", "background"))):
        yield "brawler"
    if legend and "planeswalker" in types:
        yield "oathbreaker"
    if _COMPANION.search(view.oracle):
        yield "companion"
    if "background" in types or _PARTNER.search(view.oracle):
        yield "partner"


TRAIT_NAMES = frozenset(
    (
        *_TRAITS, *_LAYOUTS, *LAND_CYCLE_NAMES, "dfc", "mdfc", "commander", "duelcommander", "brawler",
        "oathbreaker", "companion", "partner", "reserved", "gamechanger",
    )
)  # fmt: skip
