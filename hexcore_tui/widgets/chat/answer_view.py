"""The answer's text while it streams and after: finished blocks are left alone, the last one is repainted."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from hexcore_engine.protocol.records import Citation
from hexcore_engine.utils.validation import clean_text
from hexcore_tui.widgets.chat.marks import first_of_each
from hexcore_tui.widgets.chat.markup import Block, render_block, split_blocks


class AnswerView(Vertical):
    """Text comes in pieces; they are painted together every `batch_s` seconds."""

    DEFAULT_CSS = """
    AnswerView { height: auto; padding: 0 1; }
    AnswerView > Static { height: auto; margin-bottom: 1; }
    """

    def __init__(self, batch_s: float, plain: bool) -> None:
        super().__init__()
        self._batch_s = batch_s
        self._plain = plain
        self._text = ""
        self._citations: list[Citation] = []
        self._timer: Timer | None = None
        self._painted: list[Content] = []

    def compose(self) -> ComposeResult:
        """Blocks are mounted as they come."""
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
        """Mark a rule number of the text."""
        self._citations.append(citation)
        self._schedule()

    def finish(self, text: str, citations: tuple[Citation, ...]) -> None:
        """Show the whole answer as it is stored."""
        self._text = text
        self._citations = list(citations)
        self.paint()

    def paint(self) -> None:
        """Repaint the blocks that changed."""
        if self._timer:
            self._timer.stop()
            self._timer = None
        first = frozenset(citation.start for citation in first_of_each(self._citations))
        contents = [
            render_block(*_harmless(block, self._citations), first, self._plain)
            for block in split_blocks(self._text)
        ]
        shown = list(self.query(Static))
        for index, content in enumerate(contents):
            if index >= len(self._painted):
                self.mount(Static(content))
            elif not content.is_same(self._painted[index]):
                shown[index].update(content)
        for extra in shown[len(contents) :]:
            extra.remove()
        self._painted = contents

    def _schedule(self) -> None:
        if self._timer is None:
            self._timer = self.set_timer(self._batch_s, self.paint)


def _harmless(block: Block, citations: list[Citation]) -> tuple[Block, list[Citation]]:
    """The engine sends clean text. Should one not, the marks go, because their offsets no longer fit."""
    text = clean_text(block.text)
    return (block, citations) if text == block.text else (Block(block.start, text), [])
