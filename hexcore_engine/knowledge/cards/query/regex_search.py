"""Users' expressions, run over many texts in a thread of their own until the time is up."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

BUDGET_S = 0.25
# Beyond its time a search is left alone; what it was doing then no longer counts.
_GRACE_S = 0.05


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

    def search(self, expression: Expression, texts: Sequence[str]) -> bytearray:
        """One byte a text: 1 where it matches, 0 where not, 2 where the time did not suffice."""
        started = time.monotonic()
        search = _Search(expression, texts, started + self._left_s)
        thread = threading.Thread(target=search.run, name="card-regex", daemon=True)
        thread.start()
        thread.join(max(0.0, self._left_s) + _GRACE_S)
        self._left_s -= time.monotonic() - started
        if not search.finished:
            self.stopped = True
        if search.failure is not None:
            raise search.failure
        return bytearray(search.verdicts)


class _Search:
    def __init__(self, expression: Expression, texts: Sequence[str], deadline: float) -> None:
        self._expression = expression
        self._texts = texts
        self._deadline = deadline
        self.verdicts = bytearray(b"\2" * len(texts))
        self.finished = False
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            self._run()
        except TimeoutError:
            pass
        except Exception as error:
            self.failure = error

    def _run(self) -> None:
        # Costs a noticeable part of the start-up, and few queries need it.
        import regex

        pattern = regex.compile(self._expression.pattern, regex.MULTILINE | regex.VERSION1)
        literals = self._expression.literals
        verdicts, search = self.verdicts, pattern.search
        for place, text in enumerate(self._texts):
            if all(literal in text for literal in literals):
                left = self._deadline - time.monotonic()
                if left <= 0:
                    return
                verdicts[place] = search(text, timeout=left, concurrent=True) is not None
            else:
                verdicts[place] = 0
        self.finished = True
