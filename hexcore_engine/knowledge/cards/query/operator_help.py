"""One line of help for each operator, for whoever is typing it."""

from __future__ import annotations

from hexcore_engine.knowledge.cards.query.lexer import Kind, Style, Token, tokens
from hexcore_engine.knowledge.cards.query.numbers import NUMBER_FIELDS

_COMPARED = "= : < > <= >= !="
_HELP: dict[tuple[str, ...], str] = {
    ("name", "n"): 'words of the name; name:"a phrase", name:/an expression/',
    ("!",): '!"Exact Name" finds that card alone',
    ("t", "type"): 'type line: t:elf, t:"legendary artifact"',
    ("o", "oracle"): 'rules text: o:draw, o:"~ enters", o:/draw (two|three)/; ~ is the card itself',
    ("fo", "fulloracle"): "rules text with the reminders in it",
    ("kw", "keyword"): "a keyword: kw:flying",
    ("any", "*"): "name, type line or text: any:gideon",
    ("c", "color", "colors", "colour"): "colours: c:uw holds both, c=uw just these, c:c none, c:m many, c=2",
    ("id", "identity", "ci", "coloridentity"): "colour identity: id:uw fits into such a deck, id>=3",
    ("produces",): "mana it can add: produces=wu",
    ("m", "mana"): "symbols in the cost: m:2ww, m>3wu, m:{r/p}",
    ("devotion",): "permanents with so many symbols: devotion:{u}{u}",
    NUMBER_FIELDS["mv"]: f"mana value: {_COMPARED} a number, mv:odd, mv:even",
    NUMBER_FIELDS["pow"]: f"power: {_COMPARED} a number or tou; pow=* has a star",
    NUMBER_FIELDS["tou"]: f"toughness: {_COMPARED} a number or pow",
    NUMBER_FIELDS["pt"]: f"power and toughness added: {_COMPARED}",
    NUMBER_FIELDS["loy"]: f"loyalty: {_COMPARED}",
    NUMBER_FIELDS["def"]: f"defense: {_COMPARED}",
    NUMBER_FIELDS["pips"]: f"coloured symbols in the cost: {_COMPARED}",
    ("is",): "a trait: is:commander is:vanilla is:mdfc is:fetchland",
    ("not",): "without a trait: not:funny",
    ("has",): "has:indicator: a colour indicator",
    ("f", "format", "legal"): "legal in a format: f:modern",
    ("banned",): "banned in a format: banned:legacy",
    ("restricted",): "restricted in a format: restricted:vintage",
    ("order", "sort"): "sort by: name, mv, power, toughness, color",
    ("direction", "dir"): "asc or desc",
    ("include",): "include:extras lists schemes, planes and tokens too",
}
OPERATOR_HELP: dict[str, str] = {name: words for names, words in _HELP.items() for name in names}


def operator_help(query: str, cursor: int) -> str:
    """Return help for the operator of the term that ends at or holds the place `cursor` of `query`, counted
    from 0; "" where there is none."""
    token = next((token for token in tokens(query) if _touches(token, cursor)), None)
    words = OPERATOR_HELP.get(token.field) if token else None
    return f"{token.field}  {words}" if token and words else ""


def is_plain(query: str) -> bool:
    """Whether `query` holds ordinary words alone: no operator, quote, sign or bracket."""
    return all(
        token.kind in (Kind.TERM, Kind.OR, Kind.AND) and not token.field and token.style is Style.PLAIN
        for token in tokens(query)
    )


def _touches(token: Token, cursor: int) -> bool:
    start = token.column - 1
    return start < cursor <= start + len(token.text)
