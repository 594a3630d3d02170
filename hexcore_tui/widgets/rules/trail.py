"""Where a reader has been: back and forward as in a browser."""

from __future__ import annotations

MAX_LENGTH = 200


class Trail:
    """A list of visited rule numbers and a place in it."""

    def __init__(self) -> None:
        self._numbers: list[str] = []
        self._place = -1

    @property
    def num_before(self) -> int:
        """How many steps back there are."""
        return max(0, self._place)

    @property
    def num_after(self) -> int:
        """How many steps forward there are."""
        return len(self._numbers) - self._place - 1

    def visit(self, number: str) -> None:
        """Go to a rule; what lay ahead is forgotten. The one already there is not visited twice."""
        if self._numbers and self._numbers[self._place] == number:
            return
        self._numbers = [*self._numbers[: self._place + 1], number][-MAX_LENGTH:]
        self._place = len(self._numbers) - 1

    def back(self) -> str | None:
        """Take a step back, or return None at the start."""
        return self._step(-1)

    def forward(self) -> str | None:
        """Take a step forward, or return None at the end."""
        return self._step(1)

    def _step(self, delta: int) -> str | None:
        place = self._place + delta
        if not 0 <= place < len(self._numbers):
            return None
        self._place = place
        return self._numbers[place]
