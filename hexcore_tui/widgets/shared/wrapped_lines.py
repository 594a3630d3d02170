"""A text cut into the lines a width has room for, each of which still knows where in the text it stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from operator import attrgetter

from rich.cells import cell_len, set_cell_size
from textual.content import Content

_WORD = re.compile(r"\S+")


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
    """Return the lines of `content` in `width` cells; words break only where one is longer than a line.

    The spaces between two lines belong to neither; those a paragraph begins with stay, as far as its first
    word leaves room. Not by Content.wrap: Textual 8.2 makes empty lines of such spaces, and does not say
    where in the text a line stands. A tab is shown as one space.
    """
    if "\t" in content.plain:
        content = Content(content.plain.replace("\t", " "), spans=list(content.spans))
    lines: list[WrappedLine] = []
    start = 0
    for number, paragraph in enumerate(content.split(allow_blank=True)):
        for column, end in _spans(paragraph.plain, width):
            lines.append(WrappedLine(paragraph[column:end], start + column, column, number))
        start += len(paragraph.plain) + 1
    return lines


def _spans(plain: str, width: int) -> list[tuple[int, int]]:
    """Return where each line of one paragraph begins and ends."""
    spans: list[tuple[int, int]] = []
    # The line being filled: its first character, the end of its last word, and the cells up to there.
    start = end = used = 0
    for word in _WORD.finditer(plain):
        begin, stop = word.span()
        size = cell_len(word[0])
        gap = cell_len(plain[end:begin])
        if not end:
            used = min(gap, max(0, width - size))
            start = begin - used
        elif used + gap + size <= width:
            used += gap
        else:
            spans.append((start, end))
            start, used = begin, 0
        while used + size > width:
            cut = start + max(1, len(set_cell_size(plain[start:stop], width).rstrip()))
            if cut >= stop:
                break
            spans.append((start, cut))
            start, size = cut, cell_len(plain[cut:stop])
        used, end = used + size, stop
    # What stands behind the last word is kept as far as there is room.
    spans.append((start, end + max(0, min(len(plain) - end, width - used))))
    return spans


def line_at(lines: list[WrappedLine], offset: int) -> int:
    """Return the index of the line that holds the character at `offset`."""
    return max(0, bisect_right(lines, offset, key=attrgetter("start")) - 1)
