"""A list of one-line rows that draws only the rows in sight, however many there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from hexcore_tui.actions import bindings_of
from hexcore_tui.textual_gaps import show_length
from hexcore_tui.widgets.shared.slices import paint_lines

# Draws row `index` into `width` cells.
DrawRow = Callable[[int, int], Content]


class RowList(ScrollView, can_focus=True):
    """Rows are drawn on demand by a function, so replacing them costs the same for 20 as for 35,000."""

    BINDINGS = bindings_of("list")
    COMPONENT_CLASSES: ClassVar[set[str]] = {"row-list--row", "row-list--highlight"}
    DEFAULT_CSS = """
    RowList {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        & > .row-list--highlight { background: $primary 12%; text-style: bold; }
        &:focus > .row-list--highlight { background: $primary 25%; }
    }
    """

    highlighted: reactive[int | None] = reactive(None)

    class OfRow(Message):
        """Something befell the row `index` of `rows`; None when there are no rows."""

        def __init__(self, rows: RowList, index: int | None) -> None:
            super().__init__()
            self.rows = rows
            self.index = index

        @property
        def control(self) -> RowList:
            """The list."""
            return self.rows

    class Highlighted(OfRow):
        """Another row, or a new row at the same place, is the marked one."""

        def can_replace(self, message: Message) -> bool:
            """Only the newest mark of a list matters."""
            return isinstance(message, RowList.Highlighted) and message.rows is self.rows

    class Selected(OfRow):
        """A row was chosen with Enter or a click."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._draw: DrawRow = _draw_nothing
        self._num_rows = 0

    def watch_highlighted(self, before: int | None, after: int | None) -> None:
        """Redraw the two rows and bring the marked one into sight."""
        for index in (before, after):
            if index is not None:
                self.refresh_line(index - round(self.scroll_offset.y))
        self._tell_highlighted()

    def on_click(self, event: events.Click) -> None:
        """Choose the row under the pointer."""
        index = event.y + round(self.scroll_offset.y)
        if index < self._num_rows:
            self.highlighted = index
            self.action_select()

    def action_move(self, delta: int) -> None:
        """Mark a row further up or down."""
        if self._num_rows:
            place = -1 if self.highlighted is None else self.highlighted
            self.highlighted = min(max(place + delta, 0), self._num_rows - 1)

    def action_move_page(self, direction: int) -> None:
        """Mark a row one screenful away."""
        self.action_move(direction * max(1, self.size.height - 1))

    def action_move_to_end(self, direction: int) -> None:
        """Mark the first or last row."""
        self.action_move(direction * self._num_rows)

    def action_select(self) -> None:
        """Choose the marked row."""
        if self.highlighted is not None:
            self.post_message(self.Selected(self, self.highlighted))

    def render_line(self, y: int) -> Strip:
        """Draw one row in sight."""
        index = y + round(self.scroll_offset.y)
        width = self.scrollable_content_region.width
        marked = index == self.highlighted
        style = self.get_visual_style("row-list--highlight" if marked else "row-list--row")
        if not width or index >= self._num_rows:
            return Strip.blank(width, self.rich_style)
        row = self._draw(index, width).truncate(width, ellipsis=True, pad=True)
        # Not by way of `Visual`: it gives each word a style of its own, for a selection no list has.
        parts = row.render(style, end="", parse_style=self._get_style)
        return Strip([Segment(text, look.rich_style) for text, look in parts], width)

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return self._num_rows

    def show_rows(self, num_rows: int, draw: DrawRow, highlighted: int | None = 0) -> None:
        """Replace all rows; `draw` is called for those in sight. Marks `highlighted` where it exists."""
        self._draw = draw
        before, self._num_rows = self._num_rows, num_rows
        show_length(self, num_rows)
        self.set_reactive(RowList.highlighted, highlighted if num_rows else None)
        self.scroll_to(y=0, animate=False)
        # Below the rows before and the ones after nothing has changed.
        paint_lines(self, max(before, num_rows))
        self._tell_highlighted()

    def _tell_highlighted(self) -> None:
        """Bring the marked row into sight and say which it is."""
        if self.highlighted is not None:
            self.scroll_to_region(Region(0, self.highlighted, 1, 1), animate=False, x_axis=False)
        self.post_message(self.Highlighted(self, self.highlighted))


def _draw_nothing(_index: int, _width: int) -> Content:
    return Content("")
