"""A model's text as styled blocks: paragraphs, lists, headings, bold, italics and code, and nothing else.

Written for answers that stream: only the last block ever changes. Links, images, HTML and console markup
stay the plain text they are, so nothing a model writes can act.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from hexcore_engine.protocol.records import Citation
from hexcore_tui.widgets.chat.marks import MARKS

_INLINE = re.compile(
    r"(?P<bold>\*\*(?=\S)(.+?)(?<=\S)\*\*)|(?P<code>`([^`\n]+)`)|(?P<italic>(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*]))"
)
_LINE_STARTS = re.compile(r"(?P<indent>[ \t]*)(?:(?P<heading>#{1,6})[ \t]+|(?P<bullet>[-*+])[ \t]+)")
_BREAK = re.compile(r"\n[ \t]*\n+")


@dataclass(frozen=True)
class Block:
    """A stretch of the text between blank lines; `start` is its offset in the whole."""

    start: int
    text: str

    @property
    def end(self) -> int:
        """The offset after its last character."""
        return self.start + len(self.text)


def split_blocks(text: str) -> list[Block]:
    """Cut `text` at blank lines."""
    blocks = []
    start = 0
    for gap in _BREAK.finditer(text):
        if gap.start() > start:
            blocks.append(Block(start, text[start : gap.start()]))
        start = gap.end()
    if text[start:].strip():
        blocks.append(Block(start, text[start:]))
    return blocks


def render_block(block: Block, citations: Sequence[Citation], first: frozenset[int], plain: bool) -> Content:
    """Return one block ready to show, each rule number followed by its mark.

    `first` holds the offsets of citations whose mark is spelt out; the others show the symbol alone.
    """
    mine = [c for c in citations if block.start <= c.start and c.end <= block.end]
    parts: list[Content] = []
    place = block.start
    for citation in sorted(mine, key=lambda citation: citation.start):
        if citation.start < place:
            continue
        parts.append(Content(block.text[place - block.start : citation.start - block.start]))
        parts.append(_cited(block, citation, citation.start in first, plain))
        place = citation.end
    parts.append(Content(block.text[place - block.start :]))
    return style_inline(Content("").join(parts))


def _cited(block: Block, citation: Citation, spelt_out: bool, plain: bool) -> Content:
    mark = MARKS[citation.status]
    number = block.text[citation.start - block.start : citation.end - block.start]
    symbol = mark.plain_symbol if plain else mark.symbol
    words = f"{symbol} {mark.word}" if spelt_out else symbol
    # The mark stands inside the brackets of the number, or in its own; no-break spaces hold them together.
    inside = f"{number[:-1]} {words}]" if number.endswith("]") else f"{number} ({words})"
    return Content(inside.replace(" ", "\u00a0")).stylize(f"bold {mark.style}")


def style_inline(content: Content) -> Content:
    """Return `content` with simple Markdown turned into styles and its signs taken away."""
    if content.plain.lstrip().startswith("```"):
        return content.stylize("$text-muted")
    lines = content.split("\n", allow_blank=True)
    return Content("\n").join([_style_line(line) for line in lines])


def _style_line(line: Content) -> Content:
    start = _LINE_STARTS.match(line.plain)
    if start is None:
        return _style_words(line)
    rest = _style_words(line[start.end() :])
    if start["heading"]:
        return rest.stylize("bold")
    return Content.assemble(start["indent"], "• ", rest)


def _style_words(line: Content) -> Content:
    parts: list[Content] = []
    place = 0
    for match in _INLINE.finditer(line.plain):
        style = {"bold": "bold", "code": "$accent", "italic": "italic"}[match.lastgroup or "bold"]
        width = 2 if match.lastgroup == "bold" else 1
        parts.append(line[place : match.start()])
        parts.append(line[match.start() + width : match.end() - width].stylize(style))
        place = match.end()
    parts.append(line[place:])
    return Content("").join(parts)
