"""Users' expressions, run over many texts in a thread of their own until the time is up."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

BUDGET_S = 0.25
# Beyond its time a search is left alone; what it was doing then no longer counts.
_GRACE_S = 0.05
# The library counts the processor's time, which is less than what a clock says on a busy machine.
_SHARE_FOR_ALL = 0.3
_LONGEST_ALONE_S = 0.003
# Stands between texts. An expression can't match it (see expressions.py), so no match reaches from one text
# into the next.
BARRIER = "\x1f"
NO, YES, UNDECIDED = 0, 1, 2


@dataclass(frozen=True)
class Expression:
    """A checked pattern in the form the library takes, and runs of letters every match holds."""

    pattern: str
    literals: tuple[str, ...]


class RegexBudget:
    """The time one query may spend on expressions."""

    def __init__(self, seconds: float = BUDGET_S) -> None:
        self._left_s = seconds
        self.stopped = False

    def search(self, expression: Expression, texts: Sequence[str]) -> bytes:
        """One byte a text: whether it matches, or UNDECIDED where the time did not suffice."""
        started = time.monotonic()
        search = _Search(expression, texts, started + self._left_s)
        thread = threading.Thread(target=search.run, name="card-regex", daemon=True)
        thread.start()
        thread.join(max(0.0, self._left_s) + _GRACE_S)
        self._left_s -= time.monotonic() - started
        verdicts = bytes(search.verdicts)
        self.stopped = self.stopped or UNDECIDED in verdicts
        if search.failure is not None:
            raise search.failure
        return verdicts


class _Search:
    """All texts in one, searched from match to match; where that gets stuck, the rest one by one."""

    def __init__(self, expression: Expression, texts: Sequence[str], deadline: float) -> None:
        self._expression = expression
        self._texts = texts
        self._deadline = deadline
        self._decided = 0
        self.verdicts = bytearray([UNDECIDED]) * len(texts)
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            self._run()
        except Exception as error:
            self.failure = error

    def _run(self) -> None:
        # Costs a noticeable part of the start-up, and few queries need it.
        import regex

        left_s = self._deadline - time.monotonic()
        if left_s > 0:
            try:
                # What follows a match within its text is taken with it, so that a text is met once.
                pattern = regex.compile(f"(?:{self._expression.pattern})[^{BARRIER}]*+", regex.VERSION1)
                self._all_in_one(pattern, left_s * _SHARE_FOR_ALL)
            except TimeoutError:
                self._one_by_one(regex.compile(self._expression.pattern, regex.VERSION1))

    def _all_in_one(self, pattern: Any, timeout_s: float) -> None:
        whole = BARRIER.join(("", *self._texts, ""))
        starts = list(accumulate((len(text) + 1 for text in self._texts), initial=1))
        verdicts = self.verdicts
        for found in pattern.finditer(whole, 1, timeout=timeout_s, concurrent=True):
            at = bisect_right(starts, found.start(), max(0, self._decided - 1)) - 1
            # An empty match may stand at a text's end again, or after the last text.
            if self._decided <= at < len(verdicts):
                verdicts[self._decided : at] = bytes(at - self._decided)
                verdicts[at] = YES
                self._decided = at + 1
        verdicts[self._decided :] = bytes(len(verdicts) - self._decided)

    def _one_by_one(self, pattern: Any) -> None:
        for place in range(self._decided, len(self._texts)):
            left_s = self._deadline - time.monotonic()
            if left_s <= 0:
                return
            text = f"{BARRIER}{self._texts[place]}{BARRIER}"
            try:
                found = pattern.search(text, 1, timeout=min(left_s, _LONGEST_ALONE_S), concurrent=True)
            except TimeoutError:
                continue
            self.verdicts[place] = YES if found is not None and found.start() < len(text) else NO
