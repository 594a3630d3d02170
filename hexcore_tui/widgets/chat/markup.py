"""A model's text as styled blocks: paragraphs, lists, headings, tables, bold, italics and code, and nothing
else.

Written for answers that stream: only the last block ever changes. Links, images, HTML and console markup
stay the plain text they are, so nothing a model writes can act.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from textual.content import Content
from textual.style import Style

from hexcore_engine.protocol.records import Citation
from hexcore_tui.widgets.chat.marks import MARKS
from hexcore_tui.widgets.chat.pieces import SPOT

BlockKind = Literal["text", "code", "table"]

_INLINE = re.compile(
    r"(?P<bold>\*\*(?=\S)(.+?)(?<=\S)\*\*)|(?P<code>`([^`\n]+)`)|(?P<italic>(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*]))"
)
_LINE_STARTS = re.compile(r"(?P<indent>[ \t]*)(?:(?P<heading>#{1,6})[ \t]+|(?P<bullet>[-*+])[ \t]+)")
_ITEM_STARTS = re.compile(r"[ \t]*(?:[-*+]|\d{1,3}[.)])(?:[ \t]|$)")
_FENCE = "```"


@dataclass(frozen=True)
class Block:
    """A stretch of the text between blank lines, a table, or code between fences; `start` is its offset in
    the whole."""

    start: int
    text: str

    @property
    def kind(self) -> BlockKind:
        """What its first line makes it."""
        return _kind_of_start(self.text) or "text"

    @property
    def end(self) -> int:
        """The offset after its last character."""
        return self.start + len(self.text)

    @property
    def is_closed(self) -> bool:
        """Whether nothing that follows can belong to it; code is, once its second fence stands."""
        return self.kind == "code" and self.text.count(_FENCE) > 1 and self.text.rstrip().endswith(_FENCE)


def split_blocks(text: str, offset: int = 0) -> list[Block]:
    """Cut `text`, which begins at `offset` of the whole, at blank lines and around tables and code."""
    blocks: list[Block] = []
    open_block: Block | None = None
    place = 0
    for line in text.splitlines(keepends=True):
        kind = _kind_of_line(line, open_block)
        if open_block and (kind != open_block.kind or open_block.is_closed):
            blocks.append(_trimmed(open_block))
            open_block = None
        if kind and open_block:
            open_block = replace(open_block, text=open_block.text + line)
        elif kind:
            open_block = Block(offset + place, line)
        place += len(line)
    if open_block:
        blocks.append(open_block)
    return blocks


def _kind_of_line(line: str, before: Block | None) -> BlockKind | None:
    """Return what a line belongs to, None for a blank one between blocks."""
    if before and before.kind == "code" and not before.is_closed:
        return "code"
    return _kind_of_start(line)


def _kind_of_start(line: str) -> BlockKind | None:
    start = line.lstrip()
    if not start:
        return None
    if start.startswith(_FENCE):
        return "code"
    return "table" if start.startswith("|") else "text"


def _trimmed(block: Block) -> Block:
    return replace(block, text=block.text.removesuffix("\n"))


def whole_part(block: Block) -> tuple[Block, str]:
    """Return what of a block still being written can be shown, and what is held back in words.

    A table, code and an item of a list come whole: half of one would be read wrongly, or jump.
    """
    if block.kind == "table":
        return replace(block, text=""), "a table is being written …"
    if block.kind == "code" and not block.is_closed:
        return replace(block, text=""), "code is being written …"
    before, line_end, last = block.text.rpartition("\n")
    if _ITEM_STARTS.match(last):
        return replace(block, text=before + line_end), ""
    return block, ""


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
    content = Content("").join(parts)
    if block.kind == "code":
        return content.stylize("$text-muted")
    return style_inline(content)


def spot_key(citation: Citation) -> str:
    """Return the key of the place where a rule number stands in an answer."""
    return f"answer:{citation.start}"


def _cited(block: Block, citation: Citation, spelt_out: bool, plain: bool) -> Content:
    mark = MARKS[citation.status]
    number = block.text[citation.start - block.start : citation.end - block.start]
    symbol = mark.plain_symbol if plain else mark.symbol
    words = f"{symbol} {mark.word}" if spelt_out else symbol
    # The mark stands inside the brackets of the number, or in its own; no-break spaces hold them together.
    inside = f"{number[:-1]} {words}]" if number.endswith("]") else f"{number} ({words})"
    spot = Style.from_meta({SPOT: spot_key(citation)})
    return Content(inside.replace(" ", "\u00a0")).stylize(f"bold {mark.style}").stylize(spot)


def style_inline(content: Content) -> Content:
    """Return `content` with simple Markdown turned into styles and its signs taken away."""
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
