"""Painting a part of a view a frame, so that a key is never kept waiting by many lines."""

from __future__ import annotations

from textual.geometry import Region
from textual.scroll_view import ScrollView

LINES_A_FRAME = 8


def paint_lines(view: ScrollView, end: int, start: int = 0) -> None:
    """Paint the lines of `view` in sight from `start` to `end`: the first ones in this frame, the others in
    the next ones."""
    view.refresh(Region(0, start, view.size.width, min(LINES_A_FRAME, end - start)))
    if start + LINES_A_FRAME < min(end, view.size.height):
        view.call_after_refresh(paint_lines, view, end, start + LINES_A_FRAME)
