"""Reading the digest: rules in our own words, and the rule numbers known to us.

One JSON Lines file a group of the rules ("702.jsonl"), one entry a line:
`{"rule", "plain", "said": […], "oracle": […], "asks": […]}`. Entries are ours and not official. `plain` is the
rule in our words; `said` the words players use around it, their mistaken beliefs included; `oracle` pieces of
card text that point to it ("~" is the card's own name); `asks` questions it decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

import msgspec

from hexcore_engine.knowledge.rules.numbers import sort_key

NUMBERS_NAME = "numbers.txt"


class DigestEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule in our own words; see the module for the fields."""

    rule: str
    plain: str
    said: tuple[str, ...] = ()
    oracle: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()


def digest_files() -> tuple[Traversable, ...]:
    """The digest's files, by name."""
    folder = resources.files("hexcore_engine.knowledge.digest")
    files = (file for file in folder.iterdir() if file.name.endswith(".jsonl"))
    return tuple(sorted(files, key=lambda file: file.name))


def load_digest() -> dict[str, DigestEntry]:
    """Every entry by rule number, in document order."""
    decoder = msgspec.json.Decoder(DigestEntry)
    entries = [entry for file in digest_files() for entry in decoder.decode_lines(file.read_bytes())]
    return {entry.rule: entry for entry in sorted(entries, key=lambda entry: sort_key(entry.rule))}


@cache
def digest_hash() -> str:
    """A short hash of everything the digest ships; changes with any of its files."""
    digest = hashlib.sha256()
    for file in digest_files():
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    digest.update("\n".join(known_numbers()).encode())
    return digest.hexdigest()[:16]


@cache
def known_numbers() -> tuple[str, ...]:
    """Numbers of all sections, groups, rules and subrules of the release the digest was written for."""
    text = (resources.files("hexcore_engine.knowledge.digest") / NUMBERS_NAME).read_text("utf-8")
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    numbers = {line[0][0] for line in lines} | {line[0] for line in lines}
    for group, *rules in lines:
        numbers.update(_expand(group, rules))
    return tuple(sorted(numbers, key=sort_key))


def _expand(group: str, rules: list[str]) -> Iterator[str]:
    for rule in rules:
        place = rule.rstrip("abcdefghijklmnopqrstuvwxyz")
        yield f"{group}.{place}"
        yield from (f"{group}.{place}{letter}" for letter in rule[len(place) :])
