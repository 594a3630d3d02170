"""What a person's words contain: rule numbers, card names, and the words that say what it is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from hexcore_engine.knowledge.cards.linking import NameIndex
from hexcore_engine.knowledge.cards.names import name_key
from hexcore_engine.knowledge.index.lexical import content_words
from hexcore_engine.knowledge.rules.numbers import find_numbers

_BRACKETED = re.compile(r"\[\[([^\[\]]{1,120})\]\]")
_TOKEN = re.compile(r"[\w'’\-/.&!]+(?:,)?")
_LONGEST_NAME_WORDS = 9
_SHORT_ENDINGS = ("'s", "'d", "’s", "’d")
_SHORTEST_PLAIN_NAME = 3
MAX_CARDS = 6
# A question longer than this is looked at by its beginning and its end: retrieval stays quick.
MAX_CHARACTERS = 6000

Choose = Callable[[tuple[int, ...], str], int]


@dataclass(frozen=True)
class NamedCard:
    """A card found in a question; `certain` unless only a short name points to it."""

    card_id: int
    certain: bool = True


@dataclass(frozen=True)
class Question:
    """A question taken apart. `cards` in the order they were named; `rest` is the text without their whole
    names, `words` its content words, each once."""

    text: str
    rules: tuple[str, ...]
    cards: tuple[NamedCard, ...]
    words: tuple[str, ...]
    rest: str


def shortened(text: str) -> str:
    """Return a question as far as it is looked at."""
    if len(text) <= MAX_CHARACTERS:
        return text
    return f"{text[: MAX_CHARACTERS * 2 // 3]} … {text[-MAX_CHARACTERS // 3 :]}"


class QuestionReader:
    """Takes questions apart.

    `common` holds words people use in lower case, so that a card of that name is meant only when written like
    a name. `choose` picks the card meant by a short name that several share, given the question.
    """

    def __init__(self, names: NameIndex, common: Collection[str], choose: Choose) -> None:
        self._names = names
        self._common = common
        self._choose = choose

    def read(self, text: str) -> Question:
        """Take a question apart."""
        text = shortened(text)
        bracketed = [
            NamedCard(self._names.whole[key])
            for found in _BRACKETED.findall(text)
            if (key := name_key(found)) in self._names.whole
        ]
        plain, left = self._find_names(_BRACKETED.sub(" , ", text))
        cards: dict[int, NamedCard] = {}
        for card in sorted([*bracketed, *plain], key=lambda card: not card.certain):
            cards.setdefault(card.card_id, card)
        return Question(
            text=text,
            rules=find_numbers(text),
            cards=tuple(cards.values())[:MAX_CARDS],
            words=tuple(content_words(left)),
            rest=left,
        )

    def _find_names(self, text: str) -> tuple[list[NamedCard], str]:
        """Return the cards named in plain words, longest name first at each place, and the text without the
        whole names."""
        tokens = [(match.group(), match.start(), match.end()) for match in _TOKEN.finditer(text)]
        found: list[NamedCard] = []
        left: list[str] = []
        place = 0
        while place < len(tokens):
            length, card = self._name_at(text, tokens, place)
            if card is not None:
                found.append(card)
            if card is None or not card.certain:
                left.extend(token for token, _, _ in tokens[place : place + max(length, 1)])
            place += max(length, 1)
        return found, " ".join(left)

    def _name_at(
        self, text: str, tokens: list[tuple[str, int, int]], place: int
    ) -> tuple[int, NamedCard | None]:
        start = tokens[place][1]
        for length in range(min(self._longest_from(tokens[place][0]), len(tokens) - place), 0, -1):
            written = text[start : tokens[place + length - 1][2]].rstrip(".,!?")
            for spelling in _spellings(written):
                card = self._card_called(text, start, spelling)
                if card is not None:
                    return length, card
        return 0, None

    def _longest_from(self, token: str) -> int:
        """How many words a name that begins with this one may have; 0 when none does."""
        firsts = {name_key(spelling).split(" ")[0] for spelling in _spellings(token)}
        longest = max((self._names.longest.get(first, 0) for first in firsts), default=0)
        return min(longest, _LONGEST_NAME_WORDS)

    def _card_called(self, text: str, start: int, written: str) -> NamedCard | None:
        key = name_key(written)
        if len(key) < _SHORTEST_PLAIN_NAME or not self._names.holds(key):
            return None
        content = content_words(key)
        if not content:
            return None
        like_a_name = written[:1].isupper() and not _begins_sentence(text, start)
        if not (like_a_name or self._says_something(key, content, written)):
            return None
        if key in self._names.legends:
            return NamedCard(self._choose(self._names.legends[key], text), certain=False)
        if key in self._names.whole:
            return NamedCard(self._names.whole[key])
        if key in self._names.words and written[:1].isupper():
            return NamedCard(self._names.words[key], certain=False)
        return None

    def _says_something(self, key: str, content: list[str], written: str) -> bool:
        """Whether words that are not written like a name can only be one."""
        if " " in key:
            # "at will" and the like: all words so common that they say nothing.
            return len(content) > 1 or written[:1].isupper()
        return key not in self._common and key not in self._names.usual_words


def _spellings(written: str) -> list[str]:
    """A name with and without what players hang on it: Ravager's, he Shocks me, Priest'd, Negated."""
    found = [written]
    if written.endswith(_SHORT_ENDINGS):
        found.append(written[:-2])
    # A lower-case word that merely ends like this is a verb, not a name with an ending.
    if written[:1].isupper() or " " in written:
        if written.endswith("s"):
            found.append(written[:-1])
        elif written.endswith("ed"):
            found += [written[:-2], written[:-1]]
    return found


def _begins_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \"'(“‘")
    return not before or before[-1] in ".!?\n:"
