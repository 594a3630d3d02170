"""The list of conversations, or of those in which words were found."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from hexcore_engine.protocol.records import SessionHit
from hexcore_engine.utils.validation import clean_line, clean_text
from hexcore_tui.widgets.shared.document import HIT_STYLE
from hexcore_tui.widgets.shared.row_list import RowList

MUTED = "$text-muted"
DATE_LENGTH = len("2026-01-16 12:00")
# With an excerpt beside it, a title takes this share of a row.
TITLE_SHARE = 0.35
SHORTEST_TITLE = 16


class SessionList(RowList):
    """One row a conversation: when, what, and how long, or where the words stand in it."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._hits: tuple[SessionHit, ...] = ()

    @property
    def marked(self) -> SessionHit | None:
        """The marked row."""
        return None if self.highlighted is None else self._hits[self.highlighted]

    def show_hits(self, hits: tuple[SessionHit, ...], *, anew: bool) -> None:
        """Replace the rows. The first is marked in a list made `anew`; else the mark stays with its
        conversation, or in its place when that is gone."""
        place = 0 if anew else self._place_in(hits)
        self._hits = hits
        self.show_rows(len(hits), self._draw_hit, place)

    def _place_in(self, hits: tuple[SessionHit, ...]) -> int:
        marked = self.marked.session.session_id if self.marked else ""
        places = [place for place, hit in enumerate(hits) if hit.session.session_id == marked]
        return places[0] if places else min(self.highlighted or 0, max(0, len(hits) - 1))

    def _draw_hit(self, index: int, width: int) -> Content:
        hit = self._hits[index]
        return found_line(hit, width) if hit.excerpt else session_line(hit)


def session_line(hit: SessionHit) -> Content:
    """Return one conversation as a line: when, how long, what."""
    session = hit.session
    turns = f"{session.num_turns} turn{'s' * (session.num_turns != 1)}"
    running = "answering now  " if session.running else ""
    return Content.assemble(
        (f" {_date(hit)}  {turns:<8}  ", MUTED), (running, "$warning"), clean_line(session.title)
    )


def found_line(hit: SessionHit, width: int) -> Content:
    """Return one finding as a line: when, what, and the piece that holds the words, these marked."""
    room = max(SHORTEST_TITLE, int((width - DATE_LENGTH) * TITLE_SHARE))
    title = Content(clean_line(hit.session.title)).truncate(room, ellipsis=True, pad=True)
    return Content.assemble((f" {_date(hit)}  ", MUTED), title, "  ", *_excerpt_parts(hit))


def _excerpt_parts(hit: SessionHit) -> Iterator[str | tuple[str, str]]:
    """Yield the pieces of the excerpt, made harmless each by itself: the marks count the letters before."""
    place = 0
    for start, end in hit.marks:
        yield _clean_piece(hit.excerpt[place:start])
        yield _clean_piece(hit.excerpt[start:end]), HIT_STYLE
        place = end
    yield _clean_piece(hit.excerpt[place:])


def _clean_piece(text: str) -> str:
    return clean_text(text).replace("\n", " ").replace("\t", " ")


def _date(hit: SessionHit) -> str:
    return clean_line(hit.session.updated_at)[:DATE_LENGTH].replace("T", " ")
