"""Card names as people type them: comparison keys, letter groups, and the distance between two spellings."""

from __future__ import annotations

import re
import unicodedata

from hexcore_engine.utils.validation import fold

FACE_SEPARATOR = " // "
# Apostrophes, and the letter that only looks like a colon, join what stands around them.
_JOINING = re.compile("['’ʼ`´꞉®]")
_SEPARATING = re.compile(r"[^\w]+|_+")


def name_key(name: str) -> str:
    """Return what two spellings of one name share: folded letters and digits, single spaces between words.

    A name made of signs only keeps them.
    """
    folded = fold(unicodedata.normalize("NFC", name)).strip()
    return _SEPARATING.sub(" ", _JOINING.sub("", folded)).strip() or folded


def face_names(name: str) -> tuple[str, ...]:
    """The names of a card's faces, front first."""
    return tuple(part for part in name.split(FACE_SEPARATOR) if part)


def letter_groups(key: str) -> list[str]:
    """Groups of three letters of `key`, a space before and after it counted as letters."""
    padded = f" {key} "
    return [padded[start : start + 3] for start in range(len(padded) - 2)]


def spelling_distances(typed: str, key: str) -> tuple[int, int]:
    """Edits (insert, delete, replace, swap neighbours) from `typed` to all of `key`, and to its nearest
    beginning."""
    before_last: list[int] = []
    last = list(range(len(key) + 1))
    previous_letter = ""
    for row, letter in enumerate(typed, start=1):
        current = [row]
        for column, other in enumerate(key, start=1):
            if letter == other:
                cost = last[column - 1]
            else:
                cost = 1 + min(last[column - 1], last[column], current[column - 1])
                if column > 1 and row > 1 and letter == key[column - 2] and previous_letter == other:
                    cost = min(cost, before_last[column - 2] + 1)
            current.append(cost)
        before_last, last, previous_letter = last, current, letter
    return last[-1], min(last)
