"""A table of an answer as text: columns side by side where they have room, else one cell after the other."""

from __future__ import annotations

import re

from textual.content import Content

_RULER = re.compile(r"[\s|:+-]+")
GAP = "  "


def table_contents(rows: Content) -> tuple[Content, Content]:
    """Return a table written with `|` in columns, and its form for a screen too narrow for that."""
    lines = [line for line in rows.split() if not _RULER.fullmatch(line.plain)]
    cells = [_cells(line) for line in lines]
    return _in_columns(cells), _one_by_one(cells)


def _cells(line: Content) -> list[Content]:
    parts = _stripped(line).split("|", allow_blank=True)
    if parts and not parts[0].plain.strip():
        parts = parts[1:]
    if parts and not parts[-1].plain.strip():
        parts = parts[:-1]
    return [_stripped(part) for part in parts]


def _stripped(content: Content) -> Content:
    plain = content.plain
    return content[len(plain) - len(plain.lstrip()) : max(len(plain.rstrip()), 0)]


def _in_columns(cells: list[list[Content]]) -> Content:
    num_columns = max(map(len, cells), default=0)
    widths = [
        max((row[column].cell_length for row in cells if column < len(row)), default=0)
        for column in range(num_columns)
    ]
    lines = []
    for number, row in enumerate(cells):
        padded = [cell.pad_right(width - cell.cell_length) for cell, width in zip(row, widths, strict=False)]
        line = Content(GAP).join(padded).rstrip()
        lines.append(line if number else line.stylize("bold"))
    return Content("\n").join(lines)


def _one_by_one(cells: list[list[Content]]) -> Content:
    if len(cells) < 2:
        return Content(" · ").join(cells[0] if cells else [])
    heads = cells[0]
    lines = []
    for row in cells[1:]:
        for number, cell in enumerate(row):
            head = heads[number].plain if number < len(heads) else ""
            lines.append(Content.assemble(f"{'• ' if not number else '  '}{head}{': ' * bool(head)}", cell))
    return Content("\n").join(lines)
