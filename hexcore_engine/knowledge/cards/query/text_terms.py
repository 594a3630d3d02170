"""Terms about words: names, types, Oracle text, keywords."""

from __future__ import annotations

import re

from hexcore_engine.knowledge.cards.columns import CardSet
from hexcore_engine.knowledge.cards.names import name_key
from hexcore_engine.knowledge.cards.oracle_text import SELF, THIS_CARD
from hexcore_engine.knowledge.cards.query.expressions import read_expression
from hexcore_engine.knowledge.cards.query.leaves import REGEX, Leaf, Run, leaf_holding, leaf_where
from hexcore_engine.knowledge.cards.query.lexer import Style, Token
from hexcore_engine.knowledge.cards.query.problems import TermProblem
from hexcore_engine.knowledge.cards.query.regex_search import NO, UNDECIDED, YES, Expression
from hexcore_engine.knowledge.cards.traits import EXTRA_TYPES
from hexcore_engine.utils.validation import fold

# Whoever asks for one of these wants to see cards that are left out else.
_REVEALING_TYPES = EXTRA_TYPES | {"token"}
_DASH = re.compile(r"\s+[-–—]+\s+")
_UNQUOTABLE = re.compile(r"[\s()\"'“”„]|^[-!/]|^(?:or|and)$", re.IGNORECASE)


def quoted(text: str) -> str:
    """A value as it may be typed again."""
    if text and not _UNQUOTABLE.search(text):
        return text
    return f"'{text}'" if '"' in text else f'"{text}"'


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
        return leaf_holding(f"{prefix}{quoted(token.value)}", "name", text)
    return leaf_holding(f"{prefix}{quoted(token.value)}", "name_key", key)


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
    return Leaf(leaf.reading, leaf.find, reveals_extras=text in _REVEALING_TYPES)


def oracle_leaf(token: Token) -> Leaf:
    """`o:`: the text holds it, reminders aside; `~` is the card itself."""
    if token.style is Style.REGEX:
        return _regex_leaf("o", token, "oracle_self" if SELF in token.value else "oracle")
    text = fold(token.value)
    column = "oracle_self" if SELF in text else "oracle"
    return leaf_holding(f"o:{quoted(text)}", column, text)


def full_oracle_leaf(token: Token) -> Leaf:
    """`fo:`: the text holds it, reminders included."""
    if token.style is Style.REGEX:
        if SELF not in token.value:
            return _regex_leaf("fo", token, "full_oracle")
        reading = f"fo:{_written(token)}"
        without = _expression_leaf(reading, read_expression(token.value), "oracle_self")
        expression = read_expression(token.value, THIS_CARD)
    else:
        text = fold(token.value)
        reading = f"fo:{quoted(text)}"
        if SELF not in text:
            return leaf_holding(reading, "full_oracle", text)
        without = leaf_holding(reading, "oracle_self", text)
        expression = Expression(THIS_CARD.join(re.escape(part) for part in text.split(SELF)), ())
    # Reminders say "this creature", never the name; so beside the text without them this finds the rest.
    within_reminders = _expression_leaf(reading, expression, "full_oracle")

    def find(run: Run, within: CardSet) -> CardSet:
        found = without.find(run, within)
        return found | within_reminders.find(run, within & ~found)

    return Leaf(reading, find, REGEX)


def any_leaf(token: Token) -> Leaf:
    """`any:`: the name, the type line or the text holds it; the text alone where it names the card itself."""
    looks = (full_oracle_leaf,) if SELF in token.value else (name_leaf, type_leaf, full_oracle_leaf)
    parts = [leaf(token) for leaf in looks]

    def find(run: Run, within: CardSet) -> CardSet:
        found = 0
        for part in parts:
            found |= part.find(run, within & ~found)
        return found

    value = _written(token) if token.style is Style.REGEX else quoted(token.value)
    return Leaf(f"any:{value}", find, max(part.cost for part in parts))


def keyword_leaf(token: Token) -> Leaf:
    """`kw:`: the card's list of keywords has it."""
    if token.style is Style.REGEX:
        raise TermProblem("keywords take no expression")
    word = fold(token.value).strip()
    return leaf_where(f"kw:{quoted(word)}", "keywords", lambda words: f"|{word}|" in words)


def _regex_leaf(field: str, token: Token, column: str) -> Leaf:
    if SELF in token.value and field in ("name", "t"):
        raise TermProblem(f"{SELF} is the card itself, which texts alone name; write o:/…{SELF}…/")
    return _expression_leaf(f"{field}:{_written(token)}", read_expression(token.value), column)


def _written(token: Token) -> str:
    """An expression as it may be typed again."""
    return "/" + token.value.replace("/", "\\/") + "/"


def _expression_leaf(reading: str, expression: Expression, column: str) -> Leaf:
    look = _in_type_lines if column == "type_line" else _in_texts

    def find(run: Run, within: CardSet) -> CardSet:
        matched, undecided = look(run, expression, column, within)
        run.undecided |= undecided & within
        return matched & within

    return Leaf(reading, find, REGEX)


def _in_type_lines(run: Run, expression: Expression, name: str, within: CardSet) -> tuple[CardSet, CardSet]:
    """The cards that match, and those the time did not suffice for; each different line is looked at once."""
    column = run.columns.column(name)
    verdicts = run.regex.search(expression, column.values)
    matched, undecided = (
        run.columns.card_set(column.flags([verdict == wanted for verdict in verdicts]), is_face=True)
        for wanted in (YES, UNDECIDED)
    )
    return matched, undecided


def _in_texts(run: Run, expression: Expression, name: str, within: CardSet) -> tuple[CardSet, CardSet]:
    """Likewise for texts, of which those alone are looked at that hold the letters every match has."""
    columns, column = run.columns, run.columns.text(name)
    for literal in expression.literals:
        within = columns.cards_holding(name, literal, within)
    places = list(columns.places(within, is_face=column.is_face))
    verdicts = run.regex.search(expression, [column.text(place) for place in places])
    flags = {YES: bytearray(column.num_places), UNDECIDED: bytearray(column.num_places), NO: bytearray(0)}
    for place, verdict in zip(places, verdicts, strict=True):
        if verdict != NO:
            flags[verdict][place] = 1
    matched, undecided = (
        columns.card_set(bytes(flags[wanted]), is_face=column.is_face) for wanted in (YES, UNDECIDED)
    )
    return matched, undecided
