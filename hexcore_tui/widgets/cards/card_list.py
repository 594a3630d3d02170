"""The list of cards found so far."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from hexcore_engine.knowledge.cards.records import CardHit
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.widgets.shared.mana import with_symbols
from hexcore_tui.widgets.shared.row_list import RowList

# From this width on a row has room for the type line as well.
WIDE_ROW = 64
NAME_WIDTH = 32


class CardList(RowList):
    """One row a card: name, where there is room its type, and its cost at the right."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._hits: tuple[CardHit, ...] = ()

    @property
    def highlighted_name(self) -> str | None:
        """The marked card."""
        return None if self.highlighted is None else self._hits[self.highlighted].name

    def show_hits(self, hits: tuple[CardHit, ...]) -> None:
        """Replace the rows; the first is marked."""
        self._hits = hits
        self.show_rows(len(hits), self._draw_hit)

    def _draw_hit(self, index: int, width: int) -> Content:
        hit = self._hits[index]
        cost = clean_line(hit.mana_cost)
        left = Content(f" {clean_line(hit.name)}")
        if width >= WIDE_ROW:
            left = left.truncate(NAME_WIDTH, ellipsis=True, pad=True)
            left = left.append(Content(f" {clean_line(hit.type_line)}").stylize("$text-muted"))
        room = width - cell_len(cost) - 2
        return Content.assemble(left.truncate(room, ellipsis=True, pad=True), " ", with_symbols(cost), " ")
