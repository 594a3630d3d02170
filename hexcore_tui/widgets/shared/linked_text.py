"""A text to read and scroll whose links are reached with Tab and opened with Enter or a click."""

from __future__ import annotations

from rich.segment import Segment
from textual import events
from textual.content import Content
from textual.geometry import Region
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style

from hexcore_engine.errors import HexcoreError
from hexcore_tui.actions import bindings_of
from hexcore_tui.messages import CardRequested, RuleRequested
from hexcore_tui.textual_gaps import show_length
from hexcore_tui.widgets.shared.document import META_KEY, Document, Link
from hexcore_tui.widgets.shared.failure import failure_document
from hexcore_tui.widgets.shared.slices import paint_lines
from hexcore_tui.widgets.shared.wrapped_lines import WrappedLine, line_at, wrap_lines

NOTHING = Document(Content(""))


class LinkedText(ScrollView, can_focus=True):
    """Tab walks the links and leaves after the last one, as in a browser; arrows scroll.

    Draws the lines in sight by itself and is laid out once: another text costs the screen no new layout.
    """

    BINDINGS = bindings_of("text")
    DEFAULT_CSS = """
    LinkedText {
        height: 1fr;
        padding: 0 1;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        &:focus { background-tint: $foreground 3%; }
    }
    """

    selected: reactive[int | None] = reactive(None)

    def __init__(self, document: Document = NOTHING, id: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id)
        self._document = document
        self._wrapped: list[WrappedLine] = []
        self._wrapped_at = 0

    def on_resize(self) -> None:
        """Fill the new width."""
        if self.scrollable_content_region.width != self._wrapped_at:
            self._wrap()

    def watch_selected(self) -> None:
        """Mark the link and bring it into sight."""
        self.refresh()
        if self.selected_link and self._wrapped:
            line = line_at(self._wrapped, self.selected_link.end - 1)
            region = Region(0, line, 1, 1)
            self.scroll_to_region(region, animate=False, origin_visible=False, x_axis=False)

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw what the mouse marked."""
        self.refresh()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return what the mouse marked, and what to put between it and the next widget's."""
        return selection.extract(self._document.content.plain), "\n"

    def render_line(self, y: int) -> Strip:
        """Draw one line in sight."""
        width = self.scrollable_content_region.width
        index = y + round(self.scroll_offset.y)
        if index >= len(self._wrapped):
            return Strip.blank(width, self.rich_style)
        line, style = self._wrapped[index], self.visual_style
        column, segments = line.column, []
        for text, look in self._marked(line).render(style, end="", parse_style=self._get_style):
            # A selection is told by the places its words have in the text.
            place = (style + look).rich_style_with_offset(column, line.paragraph)
            segments.append(Segment(text, place))
            column += len(text)
        return Strip(segments, line.content.cell_length).adjust_cell_length(width, self.rich_style)

    def on_blur(self) -> None:
        """A link is marked only where Enter would open it."""
        self.selected = None

    def on_click(self, event: events.Click) -> None:
        """Open the link under the pointer."""
        index = event.style.meta.get(META_KEY)
        if isinstance(index, int) and index < len(self._document.links):
            self._open(self._document.links[index])

    def action_step(self, delta: int) -> None:
        """Go to the next or previous link; past either end the focus goes on."""
        last = len(self._document.links) - 1
        start = -1 if delta > 0 else last + 1
        index = (start if self.selected is None else self.selected) + delta
        if 0 <= index <= last:
            self.selected = index
        elif delta > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def action_open(self) -> None:
        """Open the marked link."""
        if self.selected_link:
            self._open(self.selected_link)

    @property
    def selected_link(self) -> Link | None:
        """The marked link."""
        return None if self.selected is None else self._document.links[self.selected]

    @property
    def document(self) -> Document:
        """What is shown."""
        return self._document

    def show_document(self, document: Document) -> None:
        """Replace the text; starts again at its top, with no link marked."""
        self.set_reactive(LinkedText.selected, None)
        self._document = document
        self.scroll_to(y=0, animate=False)
        self._wrap()

    def show_failure(self, error: HexcoreError) -> None:
        """Say what happened and what to do about it."""
        self.show_document(failure_document(error))

    def _open(self, link: Link) -> None:
        wish = RuleRequested(link.target) if link.kind == "rule" else CardRequested(link.target)
        self.post_message(wish)

    def _wrap(self) -> None:
        self._wrapped_at = self.scrollable_content_region.width
        before = len(self._wrapped)
        self._wrapped = wrap_lines(self._document.content, self._wrapped_at) if self._wrapped_at else []
        show_length(self, len(self._wrapped))
        # Below the text before and the one after nothing has changed.
        paint_lines(self, max(before, len(self._wrapped)))

    def _marked(self, line: WrappedLine) -> Content:
        content, length = line.content, len(line.content.plain)
        if link := self.selected_link:
            start, end = max(0, link.start - line.start), min(length, link.end - line.start)
            content = content.stylize("reverse", start, end) if start < end else content
        span = self.text_selection.get_span(line.paragraph) if self.text_selection else None
        if span is not None:
            start = max(0, span[0] - line.column)
            end = length if span[1] == -1 else min(length, span[1] - line.column)
            style = Style.from_styles(self.screen.get_component_styles("screen--selection"))
            content = content.stylize(style, start, end) if start < end else content
        return content
