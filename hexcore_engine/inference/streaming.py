"""Text on its way from the decoder to the screen: joined, cleaned, and watched for loops."""

from __future__ import annotations

import re
import time

from hexcore_engine.utils.validation import clean_text

JOIN_S = 0.09
MAX_HELD_CHARACTERS = 256
# The start of a terminal sequence whose end has not come yet.
_OPEN_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*$"
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*\x1b?$"
    "|\x1b[ -/]*$"
    "|\r$"
)
# The same words three times in a row, or the same sentence three times, are a loop and no answer; nobody says
# a long sentence even twice.
LOOP_TIMES = 3
LONG_SENTENCE_CHARACTERS = 80
LONG_SENTENCE_TIMES = 2
MIN_LOOP_CHARACTERS = 24
MAX_LOOP_CHARACTERS = 240
_SENTENCE_ENDS = ".!?\n"
_SENTENCE_END = re.compile(f"[{_SENTENCE_ENDS}]")


class TextJoiner:
    """Joins tokens for a tenth of a second and holds back what is not whole yet.

    The first token goes out at once. A terminal sequence split across tokens is held until it is whole, so
    that cleaning sees all of it; one that never ends is let go, harmless, after `MAX_HELD_CHARACTERS`.
    """

    def __init__(self) -> None:
        self._raw = ""
        self._last: float | None = None

    def add(self, text: str) -> str:
        """Take a token; return text that is due, or ""."""
        self._raw += text
        now = time.monotonic()
        if self._last is not None and now - self._last < JOIN_S:
            return ""
        due, self._raw = self._split()
        if due:
            self._last = now
        return due

    def flush(self) -> str:
        """Return all that is left."""
        due, self._raw = clean_text(self._raw), ""
        return due

    def _split(self) -> tuple[str, str]:
        unfinished = _OPEN_SEQUENCE.search(self._raw)
        cut = unfinished.start() if unfinished else len(self._raw)
        if len(self._raw) - cut > MAX_HELD_CHARACTERS:
            cut = len(self._raw)
        return clean_text(self._raw[:cut]), self._raw[cut:]


class LoopWatch:
    """Notices a model that says the same thing over and over."""

    def __init__(self) -> None:
        self._text = ""
        self._pending = ""
        self._sentences: dict[str, int] = {}

    def add(self, text: str) -> bool:
        """Take the next piece of the answer; return whether it has become a loop."""
        self._text = (self._text + text)[-MAX_LOOP_CHARACTERS * LOOP_TIMES :]
        self._pending += text
        return self._sentence_repeats() or self._end_repeats()

    def _sentence_repeats(self) -> bool:
        found = False
        end = max(self._pending.rfind(sign) for sign in _SENTENCE_ENDS) + 1
        whole, self._pending = self._pending[:end], self._pending[end:]
        for text in _SENTENCE_END.split(whole):
            sentence = " ".join(text.lower().split())
            if len(sentence) >= MIN_LOOP_CHARACTERS:
                self._sentences[sentence] = self._sentences.get(sentence, 0) + 1
                is_long = len(sentence) >= LONG_SENTENCE_CHARACTERS
                allowed = LONG_SENTENCE_TIMES if is_long else LOOP_TIMES
                found = found or self._sentences[sentence] >= allowed
        return found

    def _end_repeats(self) -> bool:
        longest = len(self._text) // LOOP_TIMES
        return any(
            self._text.endswith(self._text[-length:] * LOOP_TIMES)
            for length in range(MIN_LOOP_CHARACTERS, longest + 1)
        )
