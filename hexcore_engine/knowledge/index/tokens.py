"""Stems of the words a text is about, by SQLite's own tokenizer: both indexes mean the same words."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import pairwise

from hexcore_engine.knowledge.index.lexical import STOP_WORDS
from hexcore_engine.utils.validation import fold

_WORD = re.compile(r"[+-]\d+/[+-]\d+|[a-z0-9]+")
# An ending behind an apostrophe says nothing: player's, they've, doesn't.
_ENDING = re.compile(r"(?<=[a-z])(?:n['’]t|['’][a-z]+)\b")
_PAIR = "_"


class Stemmer:
    """Porter stems by word, remembered. Used by one thread at a time."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._connection.executescript(
            "CREATE VIRTUAL TABLE words USING fts5(word, tokenize = 'porter unicode61');"
            "CREATE VIRTUAL TABLE stems USING fts5vocab(words, instance);"
        )

    def terms(self, text: str) -> list[str]:
        """Return the stems of a text's content words in order, repeats included."""
        return self.many_terms([text])[0]

    def many_terms(self, texts: Sequence[str]) -> list[list[str]]:
        """Return `terms` of each text; quicker than one by one."""
        # The same name stands over many rules.
        split = {text: _content(text) for text in dict.fromkeys(texts)}
        self._learn({word for words in split.values() for word in words})
        known = self._known
        stems = {text: [known[word] for word in words] for text, words in split.items()}
        return [stems[text] for text in texts]

    def _learn(self, words: Iterable[str]) -> None:
        unknown = [word for word in words if word not in self._known]
        for word in unknown:
            self._known[word] = word
        plain = [word for word in unknown if word.isalpha()]
        self._connection.execute("DELETE FROM words")
        self._connection.executemany("INSERT INTO words (rowid, word) VALUES (?, ?)", enumerate(plain))
        for row, stem in self._connection.execute("SELECT doc, term FROM stems"):
            self._known[plain[row]] = stem


def pairs(terms: Sequence[str]) -> list[str]:
    """Return neighbouring stems joined to one term each."""
    return [f"{first}{_PAIR}{second}" for first, second in pairwise(terms)]


def is_pair(term: str) -> bool:
    """Whether a term was made by `pairs`."""
    return _PAIR in term


def _content(text: str) -> list[str]:
    words = _WORD.findall(_ENDING.sub(" ", fold(text)))
    return [word for word in words if word not in STOP_WORDS]
