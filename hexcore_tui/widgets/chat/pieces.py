"""What a turn is drawn from: pieces of text, and the spots in them that a key or a click can open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from textual.content import Content
from textual.message import Message

from hexcore_tui.widgets.shared.wrapped_lines import WrappedLine, wrap_lines

# The name under which a style of a piece's content tells the spot its words belong to.
SPOT = "hexcore_spot"

SpotGroup = Literal["evidence", "answer", "cited"]
PieceLook = Literal["plain", "question"]


@dataclass(frozen=True)
class Spot:
    """A place one can go to: `wish` makes what Enter asks for, `name` is the rule, card or term it stands
    for, and `key` stays the same when the turn around it changes."""

    key: str
    group: SpotGroup
    wish: Callable[[], Message]
    name: str = ""
    kind: Literal["rule", "card", "text", "more"] = "rule"
    unfolds: str = ""


@dataclass
class Piece:
    """Text laid out by itself. `narrow` stands in for a `content` wider than the screen; where it does not
    wrap, each line ends in an ellipsis."""

    content: Content
    spots: tuple[Spot, ...] = ()
    wraps: bool = True
    narrow: Content | None = None
    gap: bool = False
    look: PieceLook = "plain"
    _cut_lines: list[WrappedLine] = field(default_factory=list)
    _width: int = 0

    def lines(self, width: int) -> list[WrappedLine]:
        """Return its lines in `width` cells."""
        if width != self._width:
            self._width = width
            self._cut_lines = self._laid_out(width)
        return self._cut_lines

    def shown(self) -> Content:
        """Return the text as it was last laid out."""
        return self.content if self.narrow is None or not self._is_wide(self._width) else self.narrow

    def places(self) -> dict[str, tuple[int, int]]:
        """Return where each spot stands in the text last laid out, by its key."""
        places: dict[str, tuple[int, int]] = {}
        for span in self.shown().spans:
            key = None if isinstance(span.style, str) else span.style.meta.get(SPOT)
            if key is not None:
                start, end = places.get(key, (span.start, span.end))
                places[key] = min(start, span.start), max(end, span.end)
        return places

    def _is_wide(self, width: int) -> bool:
        return any(line.cell_length > width for line in self.content.split(allow_blank=True))

    def _laid_out(self, width: int) -> list[WrappedLine]:
        content = self.shown()
        if self.wraps:
            return wrap_lines(content, width)
        lines, start = [], 0
        for number, line in enumerate(content.split(allow_blank=True)):
            lines.append(WrappedLine(line.truncate(width, ellipsis=True), start, 0, number))
            start += len(line.plain) + 1
        return lines
