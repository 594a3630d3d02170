"""Reading the digest: what we say about each rule in our own words. JSON Lines, one file a group of rules.

An entry's `plain` states the rule, `said` lists players' words for it (their mistaken beliefs included:
cues, not statements), `oracle` fragments of card text that point to it (`~` is the card's own name),
`asks` questions it decides, `fingerprint` is of the rule's text it was written for (see placement).
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

import msgspec

PACKAGE = "hexcore_engine.knowledge.digest"
NUMBERS_FILE = "numbers.txt"
TITLES_FILE = "titles.txt"
LABEL = "in our words, not official"


class DigestEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule in our words, keyed by its number."""

    rule: str
    plain: str
    said: tuple[str, ...] = ()
    oracle: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    fingerprint: str = ""


@cache
def load_digest() -> dict[str, DigestEntry]:
    """Return all entries by rule number, in the files' order."""
    decoder = msgspec.json.Decoder(DigestEntry)
    entries = (decoder.decode(line) for _, text in _files() for line in text.splitlines() if line.strip())
    return {entry.rule: entry for entry in entries}


@cache
def known_numbers() -> frozenset[str]:
    """Return the numbers of sections, groups and rules we know to exist; numbers are facts, their text is
    not."""
    text = resources.files(PACKAGE).joinpath(NUMBERS_FILE).read_text("utf-8")
    return frozenset(text.split())


@cache
def our_titles() -> dict[str, str]:
    """Return what we call each section and group, and the keywords by their numbers, for readers without an
    official file."""
    text = resources.files(PACKAGE).joinpath(TITLES_FILE).read_text("utf-8")
    lines = (line.partition(" ") for line in text.splitlines() if line)
    return {number: title for number, _, title in lines}


@cache
def digest_hash() -> str:
    """Return a short hash of all entries, numbers and titles; a file built from another digest is rebuilt."""
    digest = hashlib.sha256()
    for name, text in _files():
        digest.update(f"{name}\0{text}\0".encode())
    digest.update("\n".join(sorted(known_numbers())).encode())
    digest.update("\n".join(f"{number} {title}" for number, title in our_titles().items()).encode())
    return digest.hexdigest()[:16]


def _files() -> list[tuple[str, str]]:
    folder = resources.files(PACKAGE)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".jsonl"))
    return [(name, folder.joinpath(name).read_text("utf-8")) for name in names]
