"""A text cut into the lines a width has room for, each of which still knows where in the text it stands."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from operator import attrgetter

from textual.content import Content


@dataclass(frozen=True)
class WrappedLine:
    """One line on the screen.

    `start` is its first character's place in the text, `column` that in its paragraph, and `paragraph` the
    number of line ends before it.
    """

    content: Content
    start: int
    column: int
    paragraph: int


def wrap_lines(content: Content, width: int) -> list[WrappedLine]:
    """Return the lines of `content` in `width` cells; words break only where one is longer than a line."""
    lines: list[WrappedLine] = []
    start = 0
    for number, paragraph in enumerate(content.split(allow_blank=True)):
        plain, column = paragraph.plain, 0
        for line in paragraph.wrap(width):
            # The space a line ends with is not part of it.
            while column and column < len(plain) and plain[column].isspace():
                column += 1
            lines.append(WrappedLine(line, start + column, column, number))
            column += len(line.plain)
        start += len(plain) + 1
    return lines


def line_at(lines: list[WrappedLine], offset: int) -> int:
    """Return the index of the line that holds the character at `offset`."""
    return max(0, bisect_right(lines, offset, key=attrgetter("start")) - 1)
