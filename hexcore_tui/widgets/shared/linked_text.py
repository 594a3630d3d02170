"""A text to read and scroll whose links are reached with Tab and opened with Enter or a click."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.reactive import reactive
from textual.widgets import Static

from hexcore_engine.errors import HexcoreError
from hexcore_tui.messages import CardRequested, RuleRequested
from hexcore_tui.widgets.shared.document import META_KEY, Document, Link
from hexcore_tui.widgets.shared.failure import failure_document

NOTHING = Document(Content(""))


class LinkedText(VerticalScroll, can_focus=True):
    """Tab walks the links and leaves after the last one, as in a browser; arrows scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "step(1)", "Next link", show=False),
        Binding("shift+tab", "step(-1)", "Previous link", show=False),
        Binding("enter", "open", "Open link", show=False),
    ]
    DEFAULT_CSS = """
    LinkedText {
        height: 1fr;
        padding: 0 1;
        scrollbar-size-vertical: 1;
        & > Static { height: auto; }
        &:focus { background-tint: $foreground 3%; }
    }
    """

    selected: reactive[int | None] = reactive(None)

    def __init__(self, document: Document = NOTHING, id: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id)
        self._document = document
        self._body = Static(document.content)

    def compose(self) -> ComposeResult:
        """One text, so that the terminal's own selection runs across all of it."""
        yield self._body

    def watch_selected(self) -> None:
        """Mark the link and bring it into sight."""
        link = self.selected_link
        content = self._document.content
        if link:
            content = content.stylize("reverse", link.start, link.end)
        self._body.update(content, layout=False)
        if link:
            self._show_line(link)

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
        self._body.update(document.content)
        self.scroll_home(animate=False)

    def show_failure(self, error: HexcoreError) -> None:
        """Say what happened and what to do about it."""
        self.show_document(failure_document(error))

    def _open(self, link: Link) -> None:
        wish = RuleRequested(link.target) if link.kind == "rule" else CardRequested(link.target)
        self.post_message(wish)

    def _show_line(self, link: Link) -> None:
        width = self._body.size.width
        if width:
            line = len(self._document.content[: link.end].wrap(width)) - 1
            self.scroll_to_region(Region(0, line, width, 1), animate=False, origin_visible=False)
