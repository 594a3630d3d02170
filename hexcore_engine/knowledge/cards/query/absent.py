"""Fields of the language that ask for what no card file we read brings, and those that steer a web page."""

from __future__ import annotations

_PRINTINGS = "printings (sets, rarities, release dates)"
_PRICES = "prices"
_ART = "artists, flavour text and frames"
_TAGS = "tags of the community; an expression on the text, o:/…/, may do"
_LANGUAGES = "other languages"

_FIELDS = {
    _PRINTINGS: (
        "r", "rarity", "s", "e", "set", "edition", "b", "block", "cn", "number", "st", "in", "cube", "game",
        "year", "date", "prints", "sets", "paperprints", "papersets", "new", "settype",
    ),
    _PRICES: ("usd", "eur", "tix", "cheapest"),
    _ART: ("a", "artist", "artists", "ft", "flavor", "flavour", "wm", "watermark", "illustrations", "border",
           "frame", "stamp"),
    _TAGS: ("art", "atag", "arttag", "function", "otag", "oracletag"),
    _LANGUAGES: ("lang", "language"),
}  # fmt: skip
# field -> what to tell who asks for it
ABSENT_FIELDS: dict[str, str] = {
    name: f"the card data holds no {what}" for what, names in _FIELDS.items() for name in names
}
VIEW_FIELDS = frozenset(("unique", "prefer", "display", "view", "as"))
