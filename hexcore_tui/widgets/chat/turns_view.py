"""Turns drawn line by line: only what is on the screen is laid out, however long the conversation is."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.content import Content
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style

from hexcore_tui.host import host
from hexcore_tui.textual_gaps import show_length
from hexcore_tui.widgets.shared.wrapped_lines import WrappedLine, wrap_lines

if TYPE_CHECKING:
    from hexcore_tui.widgets.chat.turn_page import PageLine, TurnPage

# Turns whose drawing is kept; the others are drawn again when the reader comes back to them.
MOST_LAID_OUT = 24
# A paragraph's number for the mouse is its turn's times this, plus its own.
PARAGRAPHS_A_TURN = 1_000_000
# Not component classes: those cost the first frame more than all it draws here.
QUESTION = "bold on $boost"
CURRENT = "bold on $primary 12%"
MARKED = "bold on $primary 25%"
WELCOME = "$text-muted"


class TurnsView(ScrollView):
    """Draws `_pages`, marks the spot `_key` of the turn `_at`, and keeps the reader's place.

    Stays at the end while that grows, until the reader scrolls away, and again once they return.
    """

    DEFAULT_CSS = """
    TurnsView {
        height: 1fr;
        padding: 0 1;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
    }
    """

    def __init__(self, welcome: Content) -> None:
        super().__init__()
        self._welcome = welcome
        self._batch_s = 0.0
        self._plain = False
        self._pages: list[TurnPage] = []
        self._tops: list[int] = [0]
        self._welcome_lines: list[WrappedLine] = []
        self._welcome_width = 0
        self._at: int | None = None
        self._key: str | None = None
        self._follows = True
        self._moving = False
        self._looks: dict[str, Style] = {}

    def on_mount(self) -> None:
        """Draw as this terminal can take it."""
        profile = host(self).profile
        self._batch_s, self._plain = profile.batch_s, not profile.unicode

    def on_resize(self) -> None:
        """Fill the new width, and stay where the reader is."""
        if self._pages or self._welcome_width != self._width:
            self._lay_out()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Lay out what comes into sight; who scrolls to the end follows it again."""
        super().watch_scroll_y(old_value, new_value)
        if not self._moving:
            self._follows = round(new_value) >= self.max_scroll_y
            self._lay_out()

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw what the mouse marked."""
        self.refresh()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return what the mouse marked, and what to put between it and the next widget's."""
        found = []
        for number, page in enumerate(self._pages):
            for paragraph, text in enumerate(page.text(self._plain)):
                span = selection.get_span(number * PARAGRAPHS_A_TURN + paragraph)
                if span is not None:
                    found.append(text[span[0] : None if span[1] == -1 else span[1]])
        return "\n".join(found), "\n"

    def render_lines(self, crop: Region) -> list[Strip]:
        """Look the styles up once a paint: each takes a walk through all ancestors."""
        self._looks = {}
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draw one line in sight."""
        width = self._width
        index = y + round(self.scroll_offset.y)
        if not width:
            # In a very small window, or for a moment while one is resized, the bar leaves no room for text.
            return self._blank(width)
        if not self._pages:
            return self._welcome_strip(index, width)
        number, local = self._turn_at(index)
        if number is None:
            return self._blank(width)
        lines = self._pages[number].lines(width, self._plain)
        line = lines[local] if local < len(lines) else None
        return self._blank(width) if line is None else self._strip(line, number, width)

    def welcome(self, content: Content) -> None:
        """Change the welcome."""
        self._welcome = content
        self._lay_out()

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    def _lay_out(self, only_newest: bool = False) -> None:
        """Lay out what is in sight, keep the reader's place, and follow the end where it is followed. With
        `only_newest` no other turn than the newest has changed."""
        width = self._width
        if not width or self._moving:
            return
        self._moving = True
        before = self._tops
        if not self._pages:
            self._wrap_welcome(width)
            self._tops = [0]
            show_length(self, len(self._welcome_lines))
        else:
            self._settle(width)
        self._moving = False
        top = 0
        if only_newest and before[:-1] == self._tops[:-1]:
            changed = self._tops[-2] + self._pages[-1].first_changed_line
            top = min(max(0, changed - round(self.scroll_offset.y)), self.size.height)
        self.refresh(Region(0, top, self.size.width, self.size.height - top))

    def _settle(self, width: int) -> None:
        anchor, into = self._turn_at(round(self.scroll_offset.y))
        for _ in range(8):
            self._tops = [0, *accumulate(page.height(width) for page in self._pages)]
            show_length(self, self._tops[-1])
            if self._follows:
                self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
            elif anchor is not None:
                self.scroll_to(y=self._tops[anchor] + into, animate=False, force=True)
            if not self._lay_out_sight(width):
                break
            if anchor is not None and not self._follows:
                into = min(into, self._pages[anchor].height(width) - 1)
        self._forget_far(width)

    def _lay_out_sight(self, width: int) -> bool:
        """Lay out the turns in sight; returns whether one of them turned out to be of another height."""
        first, last = self._sight()
        differs = False
        for page in self._pages[first : last + 1]:
            before = page.height(width)
            differs |= len(page.lines(width, self._plain)) != before
        return differs

    def _sight(self) -> tuple[int, int]:
        top = round(self.scroll_offset.y)
        first = bisect_right(self._tops, top) - 1
        last = bisect_right(self._tops, top + max(1, self.size.height)) - 1
        end = len(self._pages) - 1
        return min(max(0, first), end), min(max(0, last), end)

    def _forget_far(self, width: int) -> None:
        first, last = self._sight()
        far = [
            (min(abs(number - first), abs(number - last)), number)
            for number, page in enumerate(self._pages)
            if page.is_laid_out and not first <= number <= last and page.turn.ended
        ]
        for _, number in sorted(far)[MOST_LAID_OUT:]:
            self._pages[number].forget()

    def _turn_at(self, index: int) -> tuple[int | None, int]:
        number = bisect_right(self._tops, index) - 1
        if not 0 <= number < len(self._pages) or number >= len(self._tops) - 1:
            return None, 0
        return number, index - self._tops[number]

    def _style(self, words: str) -> Style:
        if words not in self._looks:
            base = self.visual_style
            self._looks[words] = base + self._get_style(words) if words else base
        return self._looks[words]

    def _blank(self, width: int) -> Strip:
        return Strip.blank(width, self._style("").rich_style)

    def _strip(self, line: PageLine, number: int, width: int) -> Strip:
        style = self._look(line, number)
        segments, column = [], line.line.column
        place = number * PARAGRAPHS_A_TURN + line.paragraph
        for text, look in self._highlighted(line, number).render(style, end="", parse_style=self._get_style):
            # A selection is told by the places its words have in the text.
            segments.append(Segment(text, (style + look).rich_style_with_offset(column, place)))
            column += len(text)
        return Strip(segments, line.line.content.cell_length).adjust_cell_length(width, style.rich_style)

    def _look(self, line: PageLine, number: int) -> Style:
        if line.piece.look != "question":
            return self._style("")
        current = self.has_focus and number == self._at
        return self._style(CURRENT if current else QUESTION)

    def _highlighted(self, line: PageLine, number: int) -> Content:
        content, length = line.line.content, len(line.line.content.plain)
        here = self.has_focus and number == self._at and self._key is not None and line.piece.spots
        if found := line.piece.places().get(self._key or "") if here else None:
            start, end = max(0, found[0] - line.line.start), min(length, found[1] - line.line.start)
            style = self._get_style(MARKED)
            content = content.stylize(style, start, end) if start < end else content
        selection = self.text_selection
        span = selection.get_span(number * PARAGRAPHS_A_TURN + line.paragraph) if selection else None
        if span is not None:
            start = max(0, span[0] - line.line.column)
            end = length if span[1] == -1 else min(length, span[1] - line.line.column)
            style = Style.from_styles(self.screen.get_component_styles("screen--selection"))
            content = content.stylize(style, start, end) if start < end else content
        return content

    def _wrap_welcome(self, width: int) -> None:
        self._welcome_width = width
        self._welcome_lines = wrap_lines(self._welcome, width)

    def _welcome_strip(self, index: int, width: int) -> Strip:
        if width != self._welcome_width:
            # The first frame comes before the size is told.
            self._wrap_welcome(width)
        if index >= len(self._welcome_lines):
            return self._blank(width)
        style = self._style(WELCOME)
        line = self._welcome_lines[index].content
        parts = line.render(style, end="", parse_style=self._get_style)
        strip = Strip([Segment(text, look.rich_style) for text, look in parts], line.cell_length)
        return strip.adjust_cell_length(width, style.rich_style)
