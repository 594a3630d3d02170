"""Text with links in it, put together piece by piece. Nothing in it is ever read as markup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.content import Content
from textual.style import Style

LinkKind = Literal["rule", "card"]
# What was looked for, wherever it stands.
HIT_STYLE = "bold $accent"
LINK_STYLE = "$primary underline"
META_KEY = "hexcore_link"


@dataclass(frozen=True)
class Link:
    """A place in a document that opens a rule or a card; `start` and `end` are character offsets."""

    kind: LinkKind
    target: str
    start: int
    end: int


@dataclass(frozen=True)
class Document:
    """A finished text and its links, in the order a reader meets them."""

    content: Content
    links: tuple[Link, ...] = ()


class DocumentBuilder:
    """Collects the pieces of a document in order."""

    def __init__(self) -> None:
        self._pieces: list[Content] = []
        self._links: list[Link] = []
        self._length = 0

    @property
    def has_text(self) -> bool:
        """Whether anything was added."""
        return self._length > 0

    def add(self, text: str | Content, style: str = "") -> None:
        """Append text, in `style` where one is given."""
        piece = Content(text) if isinstance(text, str) else text
        if style:
            piece = piece.stylize(style)
        self._pieces.append(piece)
        self._length += len(piece.plain)

    def link(self, text: str, kind: LinkKind, target: str) -> None:
        """Append text that opens `target`."""
        meta = Style.from_meta({META_KEY: len(self._links)})
        self._links.append(Link(kind, target, self._length, self._length + len(text)))
        self.add(Content(text).stylize(LINK_STYLE).stylize(meta))

    def end_line(self, num_lines: int = 1) -> None:
        """End the line, and leave `num_lines` - 1 empty ones."""
        self.add("\n" * num_lines)

    def build(self) -> Document:
        """Return what was collected."""
        return Document(Content("").join(self._pieces).rstrip(), tuple(self._links))
