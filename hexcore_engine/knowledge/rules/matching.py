"""Finding a rule of one release in another by what it says, whatever number it has there.

Rules that read alike are paired first; what is left is paired by the words both hold, rare words counting
more. Numbers inside of a text don't count: they change whenever a rule is put in before the one they name.
"""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from hexcore_engine.knowledge.rules.numbers import parent_number, sort_key

# Shares of common words, 0 to 1, from which two rules are taken for one: under other numbers, or the same.
LEAST_ALIKE_MOVED = 0.6
LEAST_ALIKE_IN_PLACE = 0.35
_SAME_NUMBER = 0.15
_SAME_PARENT = 0.1
# Words in more rules than this say nothing about which rule it is.
_MOST_RULES_OF_A_CLUE = 150
_NUM_CANDIDATES = 8
_NUMBER = re.compile(r"\b\d{3}(?:\.\d+[a-z]?)?\b")
_WORD = re.compile(r"[a-z0-9#]+(?:'[a-z]+)?")

Texts = Mapping[str, str]  # rule number -> text
_Words = Mapping[str, tuple[str, ...]]


def plain_words(text: str) -> tuple[str, ...]:
    """The words of a rule for comparing: lower-cased, without signs, each rule number in it as "#"."""
    return tuple(_WORD.findall(_NUMBER.sub("#", text).lower().replace("’", "'")))


def match_rules(old: Texts, new: Texts) -> dict[str, str]:
    """Return, for the numbers of `old` that live on, the number of the same rule in `new`."""
    return _Matcher(old, new).match()


class _Matcher:
    def __init__(self, old: Texts, new: Texts) -> None:
        self._old = {number: plain_words(text) for number, text in old.items()}
        self._new = {number: plain_words(text) for number, text in new.items()}
        self._found: dict[str, str] = {}
        self._taken: set[str] = set()

    def match(self) -> dict[str, str]:
        """Pair the surest first."""
        self._pair_single_texts()
        self._pair_repeated_texts(same_parent=True)
        self._pair_alike()
        # Parents that were reworded are known by now.
        self._pair_repeated_texts(same_parent=True)
        self._pair_repeated_texts(same_parent=False)
        return self._found

    def _pair(self, number: str, other: str) -> None:
        self._found[number] = other
        self._taken.add(other)

    def _pair_single_texts(self) -> None:
        times, other_times = Counter(self._old.values()), Counter(self._new.values())
        places = {words: number for number, words in self._new.items() if other_times[words] == 1}
        for number, words in self._old.items():
            if times[words] == 1 and words in places:
                self._pair(number, places[words])

    def _pair_repeated_texts(self, *, same_parent: bool) -> None:
        places: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        for number, words in self._left_of_new():
            places[words].append(number)
        for number, words in list(self._left_of_old()):
            others = [
                other
                for other in places.get(words, ())
                if other not in self._taken and (not same_parent or self._under_the_same(number, other))
            ]
            if others:
                self._pair(number, number if number in others else others[0])

    def _pair_alike(self) -> None:
        old, new = dict(self._left_of_old()), dict(self._left_of_new())
        repeated = set(old.values()) & set(new.values())
        old = {number: words for number, words in old.items() if words not in repeated}
        new = {number: words for number, words in new.items() if words not in repeated}
        measure = _Likeness(old, new, _weights([*self._old.values(), *self._new.values()]))
        pairs = []
        for number in old:
            for other in measure.candidates(number):
                share = measure.share(number, other)
                if share >= (LEAST_ALIKE_IN_PLACE if number == other else LEAST_ALIKE_MOVED):
                    score = share + _SAME_NUMBER * (number == other)
                    score += _SAME_PARENT * self._under_the_same(number, other)
                    pairs.append((-score, sort_key(number), sort_key(other), number, other))
        for *_, number, other in sorted(pairs):
            if number not in self._found and other not in self._taken:
                self._pair(number, other)

    def _under_the_same(self, number: str, other: str) -> bool:
        parent, other_parent = parent_number(number), parent_number(other)
        if parent is None or parent not in self._old:
            return parent == other_parent
        return self._found.get(parent) == other_parent

    def _left_of_old(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        return ((number, words) for number, words in self._old.items() if number not in self._found)

    def _left_of_new(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        return ((number, words) for number, words in self._new.items() if number not in self._taken)


def _weights(texts: list[tuple[str, ...]]) -> dict[str, float]:
    counts = Counter(word for words in texts for word in set(words))
    return {word: math.log(1 + len(texts) / count) for word, count in counts.items()}


class _Likeness:
    """How alike the rules are that no equal text was found for."""

    def __init__(self, old: _Words, new: _Words, weights: Mapping[str, float]) -> None:
        self._weights = weights
        self._old = {number: Counter(words) for number, words in old.items()}
        self._new = {number: Counter(words) for number, words in new.items()}
        self._sums = {number: self._sum(words) for number, words in self._new.items()}
        self._places: defaultdict[str, list[str]] = defaultdict(list)
        for number, words in self._new.items():
            for word in words:
                self._places[word].append(number)

    def candidates(self, number: str) -> list[str]:
        """The numbers whose rules hold most of the rare words of one, and its own."""
        shared: defaultdict[str, float] = defaultdict(float)
        for word in self._old[number]:
            others = self._places.get(word, ())
            if len(others) <= _MOST_RULES_OF_A_CLUE:
                weight = self._weights[word]
                for other in others:
                    shared[other] += weight
        best = heapq.nlargest(_NUM_CANDIDATES, shared, key=lambda other: shared[other])
        near = [other for other in best if ("." in other) == ("." in number)]
        return near if number in near or number not in self._new else [number, *near]

    def share(self, number: str, other: str) -> float:
        """The share of words two rules have in common, 0 to 1."""
        words, others = self._old[number], self._new[other]
        common = sum(self._weights[word] * min(count, others[word]) for word, count in words.items())
        whole = self._sum(words) + self._sums[other]
        return 2 * common / whole if whole else 0.0

    def _sum(self, words: Counter[str]) -> float:
        return sum(self._weights[word] * count for word, count in words.items())
