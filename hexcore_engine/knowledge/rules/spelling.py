"""The words of the rules that stand nearest to misspelt ones."""

from __future__ import annotations

import difflib
import sqlite3

from hexcore_engine.knowledge.index.lexical import content_words

_LEAST_ALIKE = 0.72
_MOST_LETTERS_APART = 2
_LONGEST_NAME = 40


def correct_words(connection: sqlite3.Connection, words: list[str]) -> list[str]:
    """The nearest known word for each of `words` that has one; names of rules come before other words."""
    names = _words_of_names(connection)
    others = {word for (word,) in connection.execute("SELECT word FROM release.common_word")}
    found = (_nearest(word, names) or _nearest(word, others) for word in words)
    return [word for word in found if word]


def _words_of_names(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute(
        "SELECT DISTINCT lower(text) FROM release.rule WHERE length(text) BETWEEN 1 AND ?", (_LONGEST_NAME,)
    )
    return {word for (name,) in rows for word in content_words(name)}


def _nearest(word: str, known: set[str]) -> str | None:
    if word in known:
        return word
    near = [other for other in known if abs(len(other) - len(word)) <= _MOST_LETTERS_APART]
    return next(iter(difflib.get_close_matches(word, near, n=1, cutoff=_LEAST_ALIKE)), None)
