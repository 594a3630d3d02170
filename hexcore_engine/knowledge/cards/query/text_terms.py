"""Terms about words: names, types, Oracle text, keywords."""

from __future__ import annotations

import re

from hexcore_engine.knowledge.cards.columns import CardSet, Column
from hexcore_engine.knowledge.cards.names import name_key
from hexcore_engine.knowledge.cards.oracle_text import SELF
from hexcore_engine.knowledge.cards.query.expressions import read_expression
from hexcore_engine.knowledge.cards.query.leaves import REGEX, TEXT, Leaf, Run, leaf_where
from hexcore_engine.knowledge.cards.query.lexer import Style, Token
from hexcore_engine.knowledge.cards.query.problems import TermProblem
from hexcore_engine.utils.validation import fold

EXTRA_TYPES = frozenset(
    ("plane", "phenomenon", "scheme", "vanguard", "conspiracy", "stickers", "token", "emblem", "dungeon")
)
_DASH = re.compile(r"\s+[-–—]+\s+")
_THIS = r"this [a-z]+"


def quoted(text: str) -> str:
    """A value as it may be typed again."""
    return f'"{text}"' if not text or re.search(r"[\s()\"']", text) else text


def name_leaf(token: Token) -> Leaf:
    """`name:`, a phrase or a bare word: the name holds it."""
    if token.style is Style.REGEX:
        return _regex_leaf("name", token, "name")
    key = name_key(token.value)
    if not key:
        raise TermProblem("no name was given")
    prefix = "name:" if token.field else ""
    if not any(letter.isalnum() for letter in key):
        text = fold(token.value)
        return leaf_where(f"{prefix}{quoted(token.value)}", "name", lambda name: text in name)
    return leaf_where(f"{prefix}{quoted(token.value)}", "name_key", lambda name: key in name)


def exact_name_leaf(token: Token) -> Leaf:
    """`!name`: the card's name, or a face's, and nothing else."""
    key = name_key(token.value)
    if not key:
        raise TermProblem('no name was given; write !word or !"more words"')

    def find(run: Run, within: CardSet) -> CardSet:
        return run.columns.set_of(run.columns.named(key)) & within

    return Leaf(f"!{quoted(token.value)}", find, reveals_extras=True)


def type_leaf(token: Token) -> Leaf:
    """`t:`: the type line holds it, parts of words too."""
    if token.style is Style.REGEX:
        return _regex_leaf("t", token, "type_line")
    text = _DASH.sub(" — ", fold(token.value).strip())
    leaf = leaf_where(f"t:{quoted(text)}", "type_line", lambda line: text in line)
    return Leaf(leaf.reading, leaf.find, reveals_extras=text in EXTRA_TYPES)


def oracle_leaf(token: Token) -> Leaf:
    """`o:`: the text holds it, reminders aside; `~` is the card itself."""
    if token.style is Style.REGEX:
        return _regex_leaf("o", token, "oracle_self" if SELF in token.value else "oracle")
    text = fold(token.value)
    column = "oracle_self" if SELF in text else "oracle"
    return leaf_where(f"o:{quoted(text)}", column, lambda oracle: text in oracle, TEXT)


def full_oracle_leaf(token: Token) -> Leaf:
    """`fo:`: the text holds it, reminders included."""
    if token.style is Style.REGEX:
        return _regex_leaf("fo", token, "full_oracle")
    text = fold(token.value)
    reading = f"fo:{quoted(text)}"
    if SELF not in text:
        return leaf_where(reading, "full_oracle", lambda oracle: text in oracle, TEXT)
    # Reminders say "this creature", never the name; so beside the text without them this finds the rest.
    pattern = re.compile(_THIS.join(re.escape(part) for part in text.split(SELF)))
    first = leaf_where(reading, "oracle_self", lambda oracle: text in oracle, TEXT)
    second = leaf_where(reading, "full_oracle", lambda oracle: pattern.search(oracle) is not None, TEXT)

    def find(run: Run, within: CardSet) -> CardSet:
        return first.find(run, within) | second.find(run, within)

    return Leaf(reading, find, TEXT)


def any_leaf(token: Token) -> Leaf:
    """`any:`: the name, the type line or the text holds it."""
    parts = [leaf(token) for leaf in (name_leaf, type_leaf, full_oracle_leaf)]

    def find(run: Run, within: CardSet) -> CardSet:
        found = 0
        for part in parts:
            found |= part.find(run, within & ~found)
        return found

    value = f"/{token.value}/" if token.style is Style.REGEX else quoted(token.value)
    return Leaf(f"any:{value}", find, max(part.cost for part in parts))


def keyword_leaf(token: Token) -> Leaf:
    """`kw:`: the card's list of keywords has it."""
    if token.style is Style.REGEX:
        raise TermProblem("keywords take no expression")
    word = fold(token.value).strip()
    return leaf_where(f"kw:{quoted(word)}", "keywords", lambda words: f"|{word}|" in words)


def _regex_leaf(field: str, token: Token, column: str) -> Leaf:
    expression = read_expression(token.value)
    written = token.value.replace("/", "\\/")

    def find(run: Run, within: CardSet) -> CardSet:
        stored = run.columns.column(column)
        numbers = _numbers_within(run, stored, within)
        verdicts = run.regex.search(expression, [stored.values[number] for number in numbers])
        table = bytearray(len(stored.values))
        for number, verdict in zip(numbers, verdicts, strict=True):
            table[number] = verdict
        matched = [verdict == 1 for verdict in table]
        if run.regex.stopped:
            unknown = [verdict == 2 for verdict in table]
            run.undecided |= run.columns.cards_with_codes(stored, unknown) & within
        return run.columns.cards_with_codes(stored, matched) & within

    return Leaf(f"{field}:/{written}/", find, REGEX)


def _numbers_within(run: Run, column: Column, within: CardSet) -> list[int]:
    """The numbers of the values that the cards of `within` have."""
    columns = run.columns
    if within == columns.every_card:
        return list(range(len(column.values)))
    flags = columns.face_flags(within) if column.is_face else columns.flags(within)
    return sorted({code for code, flag in zip(column.codes, flags, strict=True) if flag})
