"""Rule numbers: their shape, their order, their parents, and finding them in text.

"7" is a section, "702" a group, "702.19" a rule, "702.19b" a subrule. Subrule letters skip l and o.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SUBRULE_LETTERS = "abcdefghijkmnpqrstuvwxyz"

_NUMBER = re.compile(r"(\d)(\d{2})?(?:\.(\d{1,3})([a-z])?)?")
_IN_TEXT = re.compile(r"(?<![\d.$])([1-9]\d{2}\.\d{1,3}[a-z]?)(?![\w])")
# "rule 702", "rules 508 and 509", "rules 508–511", "section 6"
_GROUPS_IN_TEXT = re.compile(
    r"\b(?:rules?|section)s?\s+((?:\d{3}(?!\d)|\d(?!\d))(?!\.\d)(?:(?:\s*(?:,|–|-)\s*|,?\s+(?:and|or|through)\s+)"
    r"(?:\d{3}|\d)(?![\d.]*\d))*)",
    re.IGNORECASE,
)


def parse_number(text: str) -> str | None:
    """Return the bare number a person typed ("702.19B.", "702.19b?" or "[702.19b]" is 702.19b), or None if it
    is none."""
    bare = text.strip().strip("[]()").rstrip(".,;:?!").lower()
    bare = bare.removeprefix("cr").removeprefix("rule").strip()
    found = _NUMBER.fullmatch(bare)
    if found is None or (found[3] is not None and found[2] is None):
        return None
    return bare


def parent_number(number: str) -> str | None:
    """The number one level up: 702.19b -> 702.19 -> 702 -> 7 -> None."""
    if number[-1].isalpha():
        return number[:-1]
    if "." in number:
        return number.split(".")[0]
    return number[0] if len(number) == 3 else None


def sort_key(number: str) -> tuple[int, int, str]:
    """Key that brings numbers into document order."""
    group, _, rest = number.partition(".")
    digits = rest.rstrip("abcdefghijklmnopqrstuvwxyz")
    base = int(group) * 100 if len(group) == 1 else int(group)
    return base if len(group) == 3 else base - 1, int(digits or 0), rest[len(digits) :]


def find_numbers(text: str) -> tuple[str, ...]:
    """Rule and subrule numbers written in `text`, in order, each once."""
    return tuple(dict.fromkeys(found[1] for found in _IN_TEXT.finditer(text.replace("]", " "))))


def find_references(text: str) -> tuple[str, ...]:
    """What `text` points to: rules, subrules, and groups or sections named as such; each once."""
    found = list(find_numbers(text))
    for match in _GROUPS_IN_TEXT.finditer(text):
        found.extend(re.findall(r"\d{3}|\d", match[1]))
    return tuple(dict.fromkeys(found))


def nearest_numbers(wanted: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Numbers of `known` a person may have meant by `wanted`: the same group first, then the nearest."""
    group, place, letter = sort_key(wanted)

    def distance(number: str) -> tuple[int, int, int]:
        other_group, other_place, other_letter = sort_key(number)
        letters = abs(ord(other_letter or "`") - ord(letter or "`"))
        return abs(group - other_group), abs(place - other_place), letters

    return tuple(sorted(sorted(known, key=sort_key), key=distance)[:limit])
