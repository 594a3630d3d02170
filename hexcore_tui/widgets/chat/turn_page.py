"""A turn laid out: its pieces, their lines, and the spots in them. Made when it comes into sight."""

from __future__ import annotations

from typing import Literal, NamedTuple

from hexcore_tui.widgets.chat.pieces import Piece, Spot
from hexcore_tui.widgets.chat.turn import Turn
from hexcore_tui.widgets.chat.turn_pieces import AnswerPieces, head_pieces, tail_pieces
from hexcore_tui.widgets.shared.wrapped_lines import WrappedLine, line_at

Part = Literal["head", "answer", "tail"]

# Lines of a turn not laid out yet, beside its answer: question, evidence, citations, end.
REST_LINES = 14


class PageLine(NamedTuple):
    """A line on the screen; `paragraph` counts the line ends of the turn's text before it."""

    piece: Piece
    line: WrappedLine
    paragraph: int


class SpotPlace(NamedTuple):
    """A spot and the lines it stands on, counted from the turn's first."""

    spot: Spot
    first_line: int
    last_line: int


class TurnPage:
    """The lines of one turn at one width. What changed is named, so that the rest is left alone."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self._answer = AnswerPieces()
        self._parts: dict[Part, list[Piece]] = {}
        self._page_lines: list[PageLine | None] | None = None
        self._before: list[PageLine | None] = []
        self.first_changed_line = 0
        self._width = 0
        self._height: int | None = None

    def changed(self, *parts: Part) -> None:
        """Make these parts anew when they are next drawn; all of them when none is named."""
        for part in parts or ("head", "answer", "tail"):
            self._parts.pop(part, None)
        self._before = self._page_lines or self._before
        self._page_lines = None

    def forget(self) -> None:
        """Give the memory of the drawing back; the height stays known."""
        self._answer = AnswerPieces()
        self._parts = {}
        self._before = []
        self._page_lines = None

    @property
    def is_laid_out(self) -> bool:
        """Whether its lines are at hand."""
        return self._page_lines is not None

    def height(self, width: int) -> int:
        """Return how many lines it takes, or a guess while it was never laid out."""
        if self._height is None or self._width != width:
            longest = len(self.turn.text) // max(1, width) + self.turn.text.count("\n")
            return longest + REST_LINES
        return self._height

    def lines(self, width: int, plain: bool) -> list[PageLine | None]:
        """Return its lines, None for empty ones; the last is empty."""
        if self._page_lines is None or self._width != width:
            self._width = width
            self._page_lines = self._laid_out(plain)
            self._height = len(self._page_lines)
            self.first_changed_line = _num_same(self._before, self._page_lines)
            self._before = []
        return self._page_lines

    def spots(self, width: int, plain: bool) -> list[SpotPlace]:
        """Return its spots in the order a reader meets them."""
        found: list[SpotPlace] = []
        top = 0
        self.lines(width, plain)
        for piece in self.pieces(plain):
            top += piece.gap
            lines = piece.lines(width)
            places = piece.places() if piece.spots else {}
            known = {spot.key: spot for spot in piece.spots}
            for key, (start, end) in sorted(places.items(), key=lambda item: item[1]):
                last = line_at(lines, max(start, end - 1))
                found.append(SpotPlace(known[key], top + line_at(lines, start), top + last))
            top += len(lines)
        return found

    def pieces(self, plain: bool) -> list[Piece]:
        """Return its pieces, top to bottom."""
        turn, parts = self.turn, self._parts
        if "head" not in parts:
            parts["head"] = head_pieces(turn, plain)
        if "answer" not in parts:
            parts["answer"] = self._answer.update(turn, plain) if turn.text else []
        if "tail" not in parts:
            parts["tail"] = tail_pieces(turn, plain)
        return [*parts["head"], *parts["answer"], *parts["tail"]]

    def text(self, plain: bool) -> list[str]:
        """Return its paragraphs, as `PageLine.paragraph` counts them."""
        return [line for piece in self.pieces(plain) for line in piece.shown().plain.split("\n")]

    def _laid_out(self, plain: bool) -> list[PageLine | None]:
        lines: list[PageLine | None] = []
        paragraph = 0
        for piece in self.pieces(plain):
            if piece.gap:
                lines.append(None)
            laid_out = piece.lines(self._width)
            lines += [PageLine(piece, line, paragraph + line.paragraph) for line in laid_out]
            paragraph += piece.shown().plain.count("\n") + 1
        return [*lines, None]


def _num_same(before: list[PageLine | None], after: list[PageLine | None]) -> int:
    """Return how many lines at the top are the very same as before."""
    for number, (old, new) in enumerate(zip(before, after, strict=False)):
        if old is not new and (old is None or new is None or old.line is not new.line):
            return number
    return min(len(before), len(after))
