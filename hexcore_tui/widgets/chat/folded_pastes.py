"""Long pasted texts, folded to a word in the question field and unfolded when the question is asked."""

from __future__ import annotations

import re

# What is longer than this would fill the field, and slow every key typed after it.
LONGEST_UNFOLDED_CHARACTERS = 2000
MOST_UNFOLDED_LINES = 12
_WORD = re.compile(r"\[pasted (\d+): [\d,]+ (?:lines|characters)\]")


class FoldedPastes:
    """Remembers each folded text by its number."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}

    def fold(self, text: str) -> str:
        """Return `text`, or the word that stands for it when it is long."""
        num_lines = text.count("\n") + 1
        if len(text) <= LONGEST_UNFOLDED_CHARACTERS and num_lines <= MOST_UNFOLDED_LINES:
            return text
        number = len(self._texts) + 1
        self._texts[number] = text
        size = f"{num_lines:,} lines" if num_lines > MOST_UNFOLDED_LINES else f"{len(text):,} characters"
        return f"[pasted {number}: {size}]"

    def unfold(self, text: str) -> str:
        """Return `text` with each such word replaced by what it stands for."""
        return _WORD.sub(lambda found: self._texts.get(int(found[1]), found[0]), text)
