"""What a person's words contain: rule numbers, card names, and the words that say what it is about."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

from hexcore_engine.knowledge.cards.names import name_key
from hexcore_engine.knowledge.index.lexical import content_words
from hexcore_engine.knowledge.rules.numbers import find_numbers

_BRACKETED = re.compile(r"\[\[([^\[\]]{1,120})\]\]")
_TOKEN = re.compile(r"[\w'’\-/.&!]+(?:,)?")
_LONGEST_NAME_WORDS = 9
_SHORTEST_PLAIN_NAME = 4
MAX_CARDS = 6
# A question longer than this is looked at by its beginning and its end: retrieval stays quick.
MAX_CHARACTERS = 6000


@dataclass(frozen=True)
class Question:
    """A question taken apart. `card_ids` in the order they were named."""

    text: str
    rules: tuple[str, ...]
    card_ids: tuple[int, ...]
    words: tuple[str, ...]


def read_question(text: str, names: dict[str, int], connection: sqlite3.Connection | None) -> Question:
    """Take a question apart; `names` are the folded card names, `connection` tells common words from
    names."""
    if len(text) > MAX_CHARACTERS:
        text = f"{text[: MAX_CHARACTERS * 2 // 3]} … {text[-MAX_CHARACTERS // 3 :]}"
    bracketed = [names[key] for found in _BRACKETED.findall(text) if (key := name_key(found)) in names]
    plain_text = _BRACKETED.sub(" , ", text)
    plain, left = _find_names(plain_text, names, connection)
    card_ids = tuple(dict.fromkeys([*bracketed, *plain]))[:MAX_CARDS]
    return Question(text, find_numbers(text), card_ids, tuple(content_words(left)))


def _find_names(
    text: str, names: dict[str, int], connection: sqlite3.Connection | None
) -> tuple[list[int], str]:
    """Return the cards named in plain words, longest name first at each place, and the text without them."""
    tokens = [(match.group(), match.start(), match.end()) for match in _TOKEN.finditer(text)]
    found: list[int] = []
    left: list[str] = []
    place = 0
    while place < len(tokens):
        length, card_id = _name_at(text, tokens, place, names, connection)
        if length:
            found.append(card_id)
            place += length
        else:
            left.append(tokens[place][0])
            place += 1
    return found, " ".join(left)


def _name_at(
    text: str,
    tokens: list[tuple[str, int, int]],
    place: int,
    names: dict[str, int],
    connection: sqlite3.Connection | None,
) -> tuple[int, int]:
    for length in range(min(_LONGEST_NAME_WORDS, len(tokens) - place), 0, -1):
        start, end = tokens[place][1], tokens[place + length - 1][2]
        written = text[start:end].rstrip(".,!?")
        for spelling in (written, re.sub(r"['’]s$", "", written)):
            card_id = names.get(name_key(spelling))
            if card_id is not None and _is_meant(text, start, spelling, connection):
                return length, card_id
    return 0, 0


def _is_meant(text: str, start: int, written: str, connection: sqlite3.Connection | None) -> bool:
    """Whether words that are a card's name are meant as one: common words only when written like a name."""
    key = name_key(written)
    words = key.split()
    if len(key) < _SHORTEST_PLAIN_NAME and not written[:1].isupper():
        return False
    if len(words) > 1:
        # "at will" and the like: all words so common that they say nothing.
        return bool(content_words(key)) and (len(content_words(key)) > 1 or written[:1].isupper())
    if not content_words(key):
        return False
    if written[:1].isupper() and not _begins_sentence(text, start):
        return True
    return not _is_common(key, connection)


def _begins_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \"'(“‘")
    return not before or before[-1] in ".!?\n:"


def _is_common(word: str, connection: sqlite3.Connection | None) -> bool:
    """Whether a word is one of the rules' or of ours, so that it means itself rather than a card."""
    if connection is None or not word.isascii():
        return True
    row = connection.execute(
        "SELECT COUNT(*) FROM (SELECT 1 FROM release.rule_words WHERE rule_words MATCH ? LIMIT 3)",
        (f'{{body heading plain}} : "{word}"',),
    ).fetchone()
    return bool(row[0])
