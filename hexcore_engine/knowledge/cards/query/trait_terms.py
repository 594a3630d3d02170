"""Terms that name a trait or a format: `is:`, `not:`, `has:`, `f:`, `banned:`, `restricted:`."""

from __future__ import annotations

from hexcore_engine.knowledge.cards.card_facts import FORMAT_PREFIX
from hexcore_engine.knowledge.cards.query.leaves import Leaf, leaf_where
from hexcore_engine.knowledge.cards.query.lexer import Token
from hexcore_engine.knowledge.cards.query.problems import IMPORT_CARDS, DataMissing, TermProblem, nearest
from hexcore_engine.knowledge.cards.traits import TRAIT_NAMES
from hexcore_engine.utils.validation import fold

# Traits only some sources tell: trait -> what `CardsSource.provides` must name.
_TOLD_BY_SOURCE = {"reserved": "reserved", "gamechanger": "gamechanger"}
_PRINTING_TRAITS = frozenset(
    (
        "reprint", "unique", "full", "foil", "nonfoil", "etched", "glossy", "hires", "new", "old", "digital",
        "promo", "spotlight", "scryfallpreview", "booster", "extended", "borderless", "showcase",
        "firstprint",
        "default", "alternate", "universesbeyond", "textless", "oversized", "masterpiece", "tourney",
        "starter",
    )
)  # fmt: skip
_STATUSES = {"f": ("legal", "restricted"), "banned": ("banned",), "restricted": ("restricted",)}
KNOWN_FORMATS = frozenset(
    (
        "standard", "future", "historic", "timeless", "gladiator", "pioneer", "explorer", "modern", "legacy",
        "pauper", "vintage", "penny", "commander", "oathbreaker", "brawl", "standardbrawl", "alchemy",
        "paupercommander", "duel", "oldschool", "premodern", "predh",
    )
)  # fmt: skip
_FORMAT_ALIASES = {"edh": "commander", "cedh": "commander", "pdh": "paupercommander"}


class Traits:
    """Compiles the terms, given what the loaded cards provide."""

    def __init__(self, provides: tuple[str, ...], formats: tuple[str, ...]) -> None:
        self._provides = provides
        self._formats = formats

    def is_leaf(self, token: Token) -> Leaf:
        """`is:`."""
        return self._trait(token, present=True)

    def not_leaf(self, token: Token) -> Leaf:
        """`not:`, the same as `-is:`."""
        return self._trait(token, present=False)

    def _trait(self, token: Token, *, present: bool) -> Leaf:
        _only_equal(token)
        name = fold(token.value).replace("-", "").replace(" ", "")
        if name in _PRINTING_TRAITS:
            raise DataMissing(
                "printings are not in the card data, and no card file Hexcore reads brings them"
            )
        if name in _TOLD_BY_SOURCE and _TOLD_BY_SOURCE[name] not in self._provides:
            raise DataMissing(f"the loaded cards don't tell which are {name}; {IMPORT_CARDS}")
        if name not in TRAIT_NAMES:
            raise TermProblem(f"“{token.value}” is no trait that is known{nearest(name, TRAIT_NAMES)}")
        notes: tuple[str, ...] = ()
        if name == "funny" and "funny" not in self._provides:
            notes = ("is:funny: the loaded cards don't mark funny ones; these show it by symbols or layout",)
        leaf = leaf_where(
            f"{'is' if present else 'not'}:{name}", "traits", lambda names: (f"|{name}|" in names) == present
        )
        reveals = present and name in ("funny", "token")
        return Leaf(leaf.reading, leaf.find, reveals_extras=reveals, notes=notes)

    def has_leaf(self, token: Token) -> Leaf:
        """`has:indicator`."""
        _only_equal(token)
        name = fold(token.value)
        if name in ("watermark", "flavor", "foil"):
            raise DataMissing(
                "printings are not in the card data, and no card file Hexcore reads brings them"
            )
        if name != "indicator":
            raise TermProblem("has: knows indicator only")
        if "indicators" not in self._provides:
            raise DataMissing(f"colour indicators are not in the loaded cards; {IMPORT_CARDS}")
        return leaf_where("has:indicator", "traits", lambda names: "|indicator|" in names)

    def format_leaf(self, token: Token) -> Leaf:
        """`f:`, `banned:`, `restricted:`."""
        _only_equal(token)
        field = "f" if token.field in ("f", "format", "legal") else token.field
        name = fold(token.value).replace(" ", "")
        name = _FORMAT_ALIASES.get(name, name)
        if not self._formats:
            raise DataMissing(f"legalities are not in the loaded cards; {IMPORT_CARDS}")
        if name not in self._formats:
            raise TermProblem(
                f"“{token.value}” is no format of the loaded cards{nearest(name, self._formats)}"
            )
        statuses = _STATUSES[field]
        return leaf_where(f"{field}:{name}", f"{FORMAT_PREFIX}{name}", lambda status: status in statuses)


def _only_equal(token: Token) -> None:
    if token.operator not in (":", "="):
        raise TermProblem(f"{token.field} takes : only")
