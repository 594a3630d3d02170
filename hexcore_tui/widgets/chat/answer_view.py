"""The answer's text while it streams and after: finished blocks are left alone, the last one is repainted."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from hexcore_engine.protocol.records import Citation
from hexcore_engine.utils.validation import clean_text
from hexcore_tui.widgets.chat.marks import first_of_each
from hexcore_tui.widgets.chat.markup import Block, render_block, split_blocks


@dataclass
class Part:
    """Blocks drawn by one widget; `start` and `end` are offsets in the text."""

    widget: Static
    start: int = 0
    end: int = 0
    stale: bool = True


# Characters of finished blocks drawn by one widget: a screenful. Each layout costs by the number of widgets,
# each repaint by the size of those that are seen.
PART_CHARACTERS = 2000


class AnswerView(Vertical):
    """Text comes in pieces; they are painted together every `batch_s` seconds."""

    DEFAULT_CSS = """
    AnswerView { height: auto; padding: 0 1; margin-bottom: 1; }
    AnswerView > Static { height: auto; }
    AnswerView > .-below { margin-top: 1; }
    """

    def __init__(self, batch_s: float, plain: bool) -> None:
        super().__init__()
        self._batch_s = batch_s
        self._plain = plain
        self._text = ""
        self._citations: list[Citation] = []
        self._timer: Timer | None = None
        self._parts: list[Part] = []

    def compose(self) -> ComposeResult:
        """Parts are mounted as they come."""
        yield from ()

    @property
    def text(self) -> str:
        """All text so far."""
        return self._text

    def append(self, text: str) -> None:
        """Add a piece; it is painted with the next batch."""
        self._text += text
        self._schedule()

    def add_citation(self, citation: Citation) -> None:
        """Mark a rule number."""
        self._citations.append(citation)
        for part in self._parts:
            part.stale |= part.start <= citation.start < part.end
        self._schedule()

    def finish(self, text: str, citations: tuple[Citation, ...]) -> None:
        """Show the whole answer as it is stored."""
        changed = not text.startswith(self._text) or list(citations) != self._citations
        self._text = text
        self._citations = list(citations)
        for part in self._parts:
            part.stale |= changed
        self.paint()

    def paint(self) -> None:
        """Repaint the parts that changed."""
        if self._timer:
            self._timer.stop()
            self._timer = None
        groups = group_blocks(split_blocks(self._text))
        for number, blocks in enumerate(groups):
            if number >= len(self._parts):
                self._parts.append(Part(Static(classes="-below" if number else "")))
                self.mount(self._parts[-1].widget)
            part = self._parts[number]
            if part.stale or part.end != blocks[-1].end:
                part.start, part.end, part.stale = blocks[0].start, blocks[-1].end, False
                show_text(part.widget, self._styled(blocks))
        for part in self._parts[len(groups) :]:
            part.widget.remove()
        del self._parts[len(groups) :]

    def _schedule(self) -> None:
        if self._timer is None:
            self._timer = self.set_timer(self._batch_s, self.paint)

    def _styled(self, blocks: list[Block]) -> Content:
        first = frozenset(citation.start for citation in first_of_each(self._citations))
        return Content("\n\n").join(
            [render_block(*_harmless(block, self._citations), first, self._plain) for block in blocks]
        )


def group_blocks(blocks: list[Block]) -> list[list[Block]]:
    """Put blocks together into parts; a longer text leaves all parts but the last as they were."""
    groups: list[list[Block]] = []
    for block in blocks:
        if not groups or groups[-1][-1].end - groups[-1][0].start >= PART_CHARACTERS:
            groups.append([])
        groups[-1].append(block)
    return groups


def show_text(widget: Static, text: Content) -> None:
    """Show `text`; the screen is laid out anew only where that changes the widget's height."""
    width = widget.content_size.width
    same_height = bool(width) and text.get_height({}, width) == widget.content_size.height
    widget.update(text, layout=not same_height)


def _harmless(block: Block, citations: list[Citation]) -> tuple[Block, list[Citation]]:
    """The engine sends clean text. Should one not, the marks go, because their offsets no longer fit."""
    text = clean_text(block.text)
    return (block, citations) if text == block.text else (Block(block.start, text), [])
