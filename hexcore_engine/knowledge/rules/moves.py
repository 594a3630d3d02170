"""Following one rule number through the releases: where a number of an old ruling stands today."""

from __future__ import annotations

import difflib

from hexcore_engine.knowledge.rules.changes import RuleTexts
from hexcore_engine.knowledge.rules.matching import match_rules, plain_words
from hexcore_engine.protocol.records import Record

_LEAST_ALIKE = 0.5


class RuleMove(Record, frozen=True):
    """A number as the release `release` used it: that rule's text, and its number in `today_release`.

    `today` is None when no rule of that release says it any more.
    """

    number: str
    release: str
    text: str
    today: str | None
    today_release: str


def is_another_rule(text: str, current: str | None) -> bool:
    """Whether a rule's old text is not that of today reworded; quickly, without looking at other rules."""
    if current is None:
        return True
    words, now = plain_words(text), plain_words(current)
    return difflib.SequenceMatcher(None, words, now, autojunk=False).ratio() < _LEAST_ALIKE


def find_move(number: str, old: RuleTexts, today: RuleTexts) -> RuleMove | None:
    """Say where the rule stands today that `old` calls `number`; None where it stands there still."""
    place = _follow(number, old, today)
    if place == number:
        return None
    return RuleMove(number, old.key, old.rules[number], place, today.key)


def _follow(number: str, old: RuleTexts, new: RuleTexts) -> str | None:
    words = plain_words(old.rules[number])
    if sum(plain_words(other) == words for other in old.rules.values()) == 1:
        equal = [other for other, text in new.rules.items() if plain_words(text) == words]
        if number in equal or len(equal) == 1:
            return number if number in equal else equal[0]
    return match_rules(old.rules, new.rules).get(number)
