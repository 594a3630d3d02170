"""Card names as people type them: comparison keys, letter groups, and the distance between two spellings."""

from __future__ import annotations

import re
import unicodedata

from hexcore_engine.utils.validation import fold

FACE_SEPARATOR = " // "
# Apostrophes, and the letter that only looks like a colon, join what stands around them.
_JOINING = re.compile("['’ʼ`´꞉®]")
_SEPARATING = re.compile(r"[\W_]+")


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


def spelling_distances(typed: str, key: str, most: int) -> tuple[int, int]:
    """Edits (insert, delete, replace, swap neighbours) from `typed` to all of `key`, and to its nearest
    beginning; more than `most` are told as `most + 1`."""
    beyond = most + 1
    before_last: list[int] = []
    last = [min(column, beyond) for column in range(len(key) + 1)]
    for row, letter in enumerate(typed, start=1):
        current = [beyond] * (len(key) + 1)
        current[0] = min(row, beyond)
        # Cells further from the diagonal can't come back within `most` edits.
        for column in range(max(1, row - most), min(len(key), row + most) + 1):
            other = key[column - 1]
            if letter == other:
                cost = last[column - 1]
            else:
                cost = 1 + min(last[column - 1], last[column], current[column - 1])
                if row > 1 and column > 1 and letter == key[column - 2] and typed[row - 2] == other:
                    cost = min(cost, before_last[column - 2] + 1)
            current[column] = min(cost, beyond)
        if min(current) == beyond:
            return beyond, beyond
        before_last, last = last, current
    return last[-1], min(last)
