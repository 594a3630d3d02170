"""What the router sees of a question: words, letters, kinds of cues and the build of its sentences.

Pure text, no numpy. Names of features are stable: weights are stored under their hashes.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from hexcore_engine.models.router_cues import KINDS, STRUCTURE
from hexcore_engine.utils.validation import clean_line

# A longer question is judged by its ends: people ask first or last.
END_CHARACTERS = 1_200
# Relative say of each block; a block's features together weigh the same however many they are.
BLOCKS: dict[str, float] = {
    "words": 2.0,
    "letters": 1.5,
    "cues": 1.0,
    "shape": 0.3,
    "mixed": 1.0,
    "build": 1.0,
}

_SHORTHANDS = (
    (re.compile(r"\[\[.*?\]\]"), " ¤card "),
    (re.compile(r"\b\d+/\d+"), " ¤size "),
    (re.compile(r"\b\d{3}(\.\d+[a-z]?)?\b"), " ¤rule "),
    (re.compile(r"\d+"), " ¤number "),
)
_TOKEN = re.compile(r"¤?[^\W\d_]+(?:'[^\W\d_]+)?|[?!.;,:]")
_ENDS = "?!."
_EDGE, _LAST = "^", "$"
_FIRST_AND_LAST = 3
_COUNTS = (1, 2, 3)


def features_of(question: str) -> dict[str, frozenset[str]]:
    """Return the features of a question by block; empty blocks where it holds no word."""
    tokens = tokens_of(question)
    if not tokens:
        return {block: frozenset() for block in BLOCKS}
    return {
        "words": frozenset(_runs([_EDGE, *tokens, _LAST], 1, 3)),
        "letters": frozenset(_letters(tokens)),
        "cues": frozenset(_cue_runs(tokens)),
        "shape": frozenset(_shape(tokens)),
        "mixed": frozenset(_mixed(tokens)),
        "build": frozenset(_runs([_EDGE, *_build(tokens), _LAST], 1, 4)),
    }


def tokens_of(question: str) -> list[str]:
    """Return words and signs; cards, sizes, rule numbers and numbers each become one word of their own."""
    if len(question) > 2 * END_CHARACTERS:
        question = f"{question[:END_CHARACTERS]} {question[-END_CHARACTERS:]}"
    text = clean_line(question).lower().replace("\u2019", "'")
    for pattern, word in _SHORTHANDS:
        text = pattern.sub(word, text)
    return _TOKEN.findall(text)


def _runs(items: Sequence[str], shortest: int, longest: int) -> Iterator[str]:
    for length in range(shortest, longest + 1):
        for start in range(len(items) - length + 1):
            yield " ".join(items[start : start + length])


def _letters(tokens: Iterable[str]) -> Iterator[str]:
    for token in set(tokens):
        if token[0].isalpha():
            word = f" {token} "
            for length in (2, 3, 4, 5):
                for start in range(len(word) - length + 1):
                    yield word[start : start + length]


def _cue_runs(tokens: Sequence[str]) -> Iterator[str]:
    """Kinds of cues in their order, words without a kind left out."""
    places = [(_EDGE,), *filter(None, map(_kinds, tokens)), (_LAST,)]
    for at, kinds in enumerate(places):
        for first in kinds:
            yield first
            for second in places[at + 1] if at + 1 < len(places) else ():
                yield f"{first} {second}"
                for third in places[at + 2] if at + 2 < len(places) else ():
                    yield f"{first} {second} {third}"


def _kinds(token: str) -> tuple[str, ...]:
    if token in KINDS:
        return KINDS[token]
    if token[0] == "¤" or token in _ENDS:
        return (token,)
    return ("-ed",) if _is_past(token) else ()


def _is_past(token: str) -> bool:
    return token.endswith("ed") and len(token) > 4


def _shape(tokens: Sequence[str]) -> Iterator[str]:
    """How often each kind stands there, and the kinds of the first and last words."""
    counts = Counter(kind for token in tokens for kind in _kinds(token))
    for kind, count in counts.items():
        yield from (f"{kind}>={least}" for least in _COUNTS if count >= least)
    words = [token for token in tokens if token[0].isalpha()]
    for place in range(min(_FIRST_AND_LAST, len(words))):
        yield from (f"first {place} {kind}" for kind in KINDS.get(words[place], ("-",)))
        yield from (f"last {place} {kind}" for kind in KINDS.get(words[-1 - place], ("-",)))


def _mixed(tokens: Sequence[str]) -> Iterator[str]:
    """Two neighbours, one as it stands and one as its kind."""
    for one, other in itertools.pairwise(tokens):
        yield from (f"<{kind}> {other}" for kind in KINDS.get(one, ()))
        yield from (f"{one} <{kind}>" for kind in KINDS.get(other, ()))


def _build(tokens: Iterable[str]) -> Iterator[str]:
    """The sentence with its subject matter blanked out: "can he _ my _ ?"."""
    blank = False
    for token in tokens:
        part = _part(token)
        if part != "_" or not blank:
            yield part
        blank = part == "_"


def _part(token: str) -> str:
    if token in STRUCTURE or not token[0].isalpha():
        return token
    if token in KINDS:
        return f"<{KINDS[token][0]}>"
    if token.endswith("ed"):
        return "_ed"
    return "_ing" if token.endswith("ing") else "_"
