"""Which words of a rule a search found, for marking them and for saying why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from hexcore_engine.knowledge.rules.records import Mark, RuleRecord

_WORD = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?", re.IGNORECASE)
_ENDINGS = ("ing", "ed", "es", "s", "e")
_SHORTEST_STEM = 3
_NUM_WORDS_NAMED = 4


def stem(word: str) -> str:
    """A word without its common endings, lower-cased, for telling its forms as one."""
    bare = word.lower().replace("’", "'").removesuffix("'s")
    for ending in _ENDINGS:
        if bare.endswith(ending) and len(bare) - len(ending) >= _SHORTEST_STEM:
            bare = bare.removesuffix(ending)
            break
    # "dropped", "dropping"
    return bare[:-1] if len(bare) > _SHORTEST_STEM and bare[-1:] == bare[-2:-1] else bare


def mark_words(text: str, words: Iterable[str]) -> tuple[Mark, ...]:
    """Where `text` holds any form of `words`."""
    wanted = {stem(word) for word in words}
    return tuple((found.start(), found.end()) for found in _WORD.finditer(text) if stem(found[0]) in wanted)


def mark_phrases(text: str, phrases: Sequence[str]) -> tuple[Mark, ...]:
    """Where `text` holds the words of a phrase as they stand, whatever white space is between them."""
    return tuple(
        (found.start(), found.end()) for phrase in phrases for found in _phrase_pattern(phrase).finditer(text)
    )


def why_words(rule: RuleRecord, words: list[str]) -> str:
    """Say which of the words a rule holds, in its text or in ours."""
    return matching_words(rule, words) or "players say it this way"


def matching_words(rule: RuleRecord, words: list[str]) -> str:
    """Say which of the words a rule holds, in its text or in ours; "" when none."""
    texts = f" {rule.text} {rule.heading} {rule.plain}".lower()
    shared = [word for word in words if word[:5] in texts]
    return f"your words match: {', '.join(shared[:_NUM_WORDS_NAMED])}" if shared else ""


@lru_cache(maxsize=64)
def _phrase_pattern(phrase: str) -> re.Pattern[str]:
    words = [re.escape(word).replace("'", "['’]").replace("’", "['’]") for word in phrase.split()]
    before = r"(?<!\w)" if phrase[:1].isalnum() else ""
    after = r"(?!\w)" if phrase[-1:].isalnum() else ""
    return re.compile(before + r"\s+".join(words) + after, re.IGNORECASE)
