"""Reading ordinary words as a query: "white flying creature" means `c:white kw:flying t:creature`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from hexcore_engine.knowledge.cards.card_facts import FORMAT_PREFIX
from hexcore_engine.knowledge.cards.columns import CardColumns
from hexcore_engine.knowledge.cards.query.colors import COLOR_NAMES
from hexcore_engine.knowledge.cards.query.lexer import Style, Token
from hexcore_engine.knowledge.cards.query.syntax import And, Term, Tree, terms_of
from hexcore_engine.knowledge.cards.query.text_terms import quoted
from hexcore_engine.knowledge.cards.query.trait_terms import KNOWN_FORMATS
from hexcore_engine.knowledge.cards.traits import TRAIT_NAMES
from hexcore_engine.utils.validation import fold

_RARITIES = frozenset(("common", "uncommon", "rare", "mythic"))
_STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "that",
        "which",
        "who",
        "with",
        "and",
        "of",
        "for",
        "in",
        "is",
        "are",
        "has",
        "have",
        "card",
        "cards",
        "all",
        "any",
        "my",
        "me",
        "show",
        "find",
        "list",
        "spell",
        "spells",
    ]
)
# What players call groups of cards -> the query that finds most of them.
_SLANG: dict[str, str] = {
    "board wipe": 'o:"destroy all"', "boardwipe": 'o:"destroy all"', "wrath": 'o:"destroy all creatures"',
    "sweeper": 'o:"destroy all"', "counterspell": 'o:"counter target"', "tutor": 'o:"search your library"',
    "wheel": 'o:"each player discards their hand"', "cantrip": 'mv<=2 o:"draw a card"',
    "mana rock": "t:artifact produces>=1", "mana dork": "t:creature produces>=1 mv<=2",
    "lifegain": 'o:"you gain" o:life', "mill": "o:mill", "blink": 'o:exile o:"return" o:battlefield',
    "reanimation": 'o:graveyard o:"onto the battlefield"', "burn": "o:/deals \\d+ damage/",
    "shock": "is:shockland", "fetch": "is:fetchland", "lord": 'o:"other" o:"get +1/+1"',
    "removal": "o:/(destroy|exile) target/", "bounce": "o:/return target .* owner's hand/",
}  # fmt: skip
_LAND_PLURALS = {
    "shocks": "is:shockland",
    "fetches": "is:fetchland",
    "duals": "is:dual",
    "checks": "is:checkland",
}
_SIZE = re.compile(r"([\d*]+)/([\d*]+)")
_AMOUNTS = (
    (re.compile(r"(?:mana value|mv|cmc|costs?) (\d+)\+"), "mv>={}"),
    (re.compile(r"(?:mana value|mv|cmc|costs?) (\d+)-"), "mv<={}"),
    (re.compile(r"(?:mana value|mv|cmc|costs?) (\d+)"), "mv={}"),
    (re.compile(r"(\d+) (?:mana|drops?)\b"), "mv={}"),
    (re.compile(r"(\d+)-drops?\b"), "mv={}"),
    (re.compile(r"power (\d+)\+"), "pow>={}"),
    (re.compile(r"power (\d+)-"), "pow<={}"),
    (re.compile(r"power (\d+)"), "pow={}"),
    (re.compile(r"toughness (\d+)\+"), "tou>={}"),
    (re.compile(r"toughness (\d+)-"), "tou<={}"),
    (re.compile(r"toughness (\d+)"), "tou={}"),
)
_NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_COUNTED = re.compile(rf"\b({'|'.join(_NUMBER_WORDS)})(?=[ -](?:mana|drops?)\b)")
_LONGEST_PHRASE = 3


@dataclass(frozen=True)
class FreeText:
    """A query read from words; `certain` when each word is known to the game."""

    query: str
    certain: bool


def read_free_text(
    tree: Tree, vocabulary: Vocabulary, left_out: Collection[int | None] = ()
) -> FreeText | None:
    """Read the bare words of a query, its other terms kept as they are but those in the columns `left_out`;
    None when nothing is left to read."""
    words: list[str] = []
    kept: list[str] = []
    for token in terms_of(tree.root):
        if token.column not in left_out:
            _put(token, words, kept)
    if not words or _has_groups(tree):
        return None
    reader = _Reader(vocabulary)
    terms = list(reader.terms(" ".join(words)))
    return FreeText(" ".join([*terms, *kept]), reader.certain) if terms else None


def _put(token: Token, words: list[str], kept: list[str]) -> None:
    phrase = fold(token.value)
    if token.field == "" and (token.style is Style.PLAIN or phrase in _SLANG):
        words.append(phrase.strip(",.;?!"))
    elif token.field == "":
        kept.append(f"o:{quoted(token.value)}")
    else:
        kept.append(token.text)


def _has_groups(tree: Tree) -> bool:
    """Only terms that all have to hold are read anew."""
    parts = tree.root.parts if isinstance(tree.root, And) else (tree.root,)
    return not all(isinstance(part, Term) for part in parts)


class Vocabulary:
    """Words that the loaded cards use as types, keywords and formats."""

    def __init__(self, columns: CardColumns) -> None:
        # How many type lines hold each word: some cards print a plural as a type.
        self.types = Counter(
            word for line in columns.column("type_line").values for word in line.split() if word.isalpha()
        )
        self.keywords = frozenset(
            word for words in columns.column("keywords").values for word in words.split("|") if word
        )
        self.formats = KNOWN_FORMATS.union(
            name.removeprefix(FORMAT_PREFIX) for name in columns.names() if name.startswith(FORMAT_PREFIX)
        )


class _Reader:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self.certain = True
        self._vocabulary = vocabulary

    def terms(self, text: str) -> Iterator[str]:
        """The terms that the words mean, in their order."""
        text = _COUNTED.sub(lambda found: str(_NUMBER_WORDS.index(found.group())), text)
        for pattern, term in _AMOUNTS:
            for amount in pattern.findall(text):
                yield term.format(amount)
            text = pattern.sub(" ", text)
        words = text.split()
        while words:
            size, term = self._longest(words)
            words = words[size:]
            if term:
                yield term

    def _longest(self, words: list[str]) -> tuple[int, str]:
        """How many of the first words mean something together, and the term for them."""
        for size in range(min(_LONGEST_PHRASE, len(words)), 0, -1):
            term = self._phrase(" ".join(words[:size]))
            if term is not None:
                return size, term
        return 1, self._unknown(words[0])

    def _unknown(self, word: str) -> str:
        self.certain = False
        return f"o:{quoted(word)}"

    def _phrase(self, phrase: str) -> str | None:
        """The term for one or more words; None when they mean nothing together, "" when nothing alone."""
        if phrase in _STOP_WORDS:
            return ""
        forms = tuple(_singulars(phrase))
        kind = max(forms, key=self._vocabulary.types.__getitem__)
        for form in forms:
            for find in self._meanings():
                term = find(kind if find == self._kind else form)
                if term is not None:
                    return term
        return _LAND_PLURALS.get(phrase)

    def _meanings(self) -> tuple[Callable[[str], str | None], ...]:
        return (_color, _size, _rarity, self._kind, self._keyword, _slang, _trait, self._format)

    def _kind(self, word: str) -> str | None:
        return f"t:{word}" if word in self._vocabulary.types else None

    def _keyword(self, word: str) -> str | None:
        return f"kw:{quoted(word)}" if word in self._vocabulary.keywords else None

    def _format(self, word: str) -> str | None:
        return f"f:{word}" if word in self._vocabulary.formats else None


def _color(word: str) -> str | None:
    if word.startswith("mono") and word.removeprefix("mono").lstrip("- ") in COLOR_NAMES:
        return f"c={word.removeprefix('mono').lstrip('- ')}"
    return f"c:{word}" if word in COLOR_NAMES and len(word) > 1 and word != "all" else None


def _size(word: str) -> str | None:
    found = _SIZE.fullmatch(word)
    return f"pow={found[1]} tou={found[2]}" if found else None


def _rarity(word: str) -> str | None:
    return f"r:{word}" if word in _RARITIES else None


def _slang(word: str) -> str | None:
    return _SLANG.get(word)


def _trait(word: str) -> str | None:
    name = word.replace(" ", "")
    return f"is:{name}" if name in TRAIT_NAMES else None


def _singulars(word: str) -> Iterator[str]:
    """The word, and what it may be the plural of."""
    yield word
    if word.endswith("ies"):
        yield f"{word[:-3]}y"
    if word.endswith("ves"):
        yield f"{word[:-3]}f"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s"):
        yield word[:-1]
