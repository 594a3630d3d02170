"""Where a reader has been: back and forward as in a browser."""

from __future__ import annotations

from typing import Generic, TypeVar

MAX_LENGTH = 200
PageT = TypeVar("PageT")


class Trail(Generic[PageT]):
    """A list of visited pages (rule numbers, or anything that names a page) and a place in it."""

    def __init__(self) -> None:
        self._pages: list[PageT] = []
        self._place = -1

    @property
    def current(self) -> PageT | None:
        """The page one is on."""
        return self._pages[self._place] if self._pages else None

    @property
    def num_before(self) -> int:
        """How many steps back there are."""
        return max(0, self._place)

    @property
    def num_after(self) -> int:
        """How many steps forward there are."""
        return len(self._pages) - self._place - 1

    def visit(self, page: PageT) -> None:
        """Go to a page; what lay ahead is forgotten. The one already there is not visited twice."""
        if self._pages and self._pages[self._place] == page:
            return
        self._pages = [*self._pages[: self._place + 1], page][-MAX_LENGTH:]
        self._place = len(self._pages) - 1

    def back(self) -> PageT | None:
        """Take a step back, or return None at the start."""
        return self._step(-1)

    def forward(self) -> PageT | None:
        """Take a step forward, or return None at the end."""
        return self._step(1)

    def _step(self, delta: int) -> PageT | None:
        place = self._place + delta
        if not 0 <= place < len(self._pages):
            return None
        self._place = place
        return self._pages[place]
