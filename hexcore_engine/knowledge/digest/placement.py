"""Where our entries stand in a release: by number, followed by text when a rule has moved, named when stale.

An entry carries a fingerprint of the rule it was written for. A release in which that text stands under
another number takes the entry there; one in which the text changed or is gone makes the entry stale.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hexcore_engine.knowledge.digest.loader import DigestEntry, load_digest

FINGERPRINT_LENGTH = 8

# References change with every renumbering while the rule keeps its meaning.
_REFERENCE = re.compile(r"\b\d{3}(\.\d+[a-z]?)?\b")


@dataclass(frozen=True)
class Placement:
    """The entries of one release by the number they stand under there; `moved` from our number to that one;
    `stale` our numbers of those whose rule has another text now, or none."""

    entries: dict[str, DigestEntry]
    moved: dict[str, str]
    stale: tuple[str, ...]


def rule_fingerprint(text: str) -> str:
    """Return a short hash of a rule's words, blind to case, punctuation, spacing and rule numbers."""
    words = re.findall(r"[a-z0-9{}/+']+", _REFERENCE.sub(" ", text.lower().replace("’", "'")))
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:FINGERPRINT_LENGTH]


def place_entries(texts: Mapping[str, str], entries: Iterable[DigestEntry] | None = None) -> Placement:
    """Place entries, all of ours by default, in the release with these texts by rule number.

    A stale entry stays under its number, unless that rule is gone or has an entry that moved there.
    """
    fingerprints = {number: rule_fingerprint(text) for number, text in texts.items()}
    holders = Counter(fingerprints.values())
    number_of = {found: number for number, found in fingerprints.items() if holders[found] == 1}
    placed: dict[str, DigestEntry] = {}
    moved: dict[str, str] = {}
    stale: list[DigestEntry] = []
    for entry in load_digest().values() if entries is None else entries:
        if fingerprints.get(entry.rule) == entry.fingerprint:
            placed[entry.rule] = entry
        elif (number := number_of.get(entry.fingerprint)) is not None:
            moved[entry.rule] = number
            placed[number] = entry
        else:
            stale.append(entry)
    for entry in stale:
        if entry.rule in texts:
            placed.setdefault(entry.rule, entry)
    return Placement(placed, moved, tuple(entry.rule for entry in stale))


def stale_entries(texts: Mapping[str, str]) -> tuple[str, ...]:
    """Return our numbers of the entries whose rule reads otherwise, or not at all, in these texts by rule
    number."""
    return place_entries(texts).stale
