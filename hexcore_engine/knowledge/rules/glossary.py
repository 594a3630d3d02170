"""The glossary of a rules file: blocks between blank lines, the term on the first line of each.

Old files also put a blank line below each term, leave all blank lines out, or write term and definition on
one line with a tab between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hexcore_engine.knowledge.rules.decoding import SOFT_BREAK

_LONGEST_TERM = 100
# More lines than any definition has: blank lines are missing in between.
_MOST_LINES_OF_A_BLOCK = 40
_ENDS_OF_SENTENCES = (".", ".)", ".”", '."', ";", ":")
_LIST_ITEM = re.compile(r"\d+\.|[a-z]\)|See\b")
_TERM_AND_TEXT = re.compile(r"([^\t]+)\t+\s*(\S.*)")

Irregular = tuple[int, str]  # line, reason
Block = tuple[int, list[str]]  # number of its first line, its lines


@dataclass(frozen=True)
class ParsedTerm:
    """One term and its definition, lines joined by newlines."""

    term: str
    text: str
    line: int


def parse_glossary(lines: Sequence[str], first_line: int) -> tuple[tuple[ParsedTerm, ...], list[Irregular]]:
    """Return the terms of `lines` and what was irregular; `first_line` numbers line 0."""
    reader = _GlossaryReader()
    for number, block in _blocks(lines, first_line):
        reader.read(number, block)
    reader.end()
    terms = tuple(ParsedTerm(term, "\n".join(lines), line) for term, lines, line in reader.terms)
    return terms, reader.irregular


class _GlossaryReader:
    """Takes the blocks one by one."""

    def __init__(self) -> None:
        self.terms: list[tuple[str, list[str], int]] = []
        self.irregular: list[Irregular] = []
        # A term whose definition stands behind a blank line.
        self._waiting: tuple[int, str] | None = None

    def read(self, number: int, block: list[str]) -> None:
        """Take the next block."""
        tabbed = _TERM_AND_TEXT.fullmatch(block[0])
        if tabbed and self._waiting is None:
            self._add(tabbed[1].strip(), [tabbed[2], *block[1:]], number)
        elif self._waiting is not None and not (len(block) > 1 and _is_term(block[0])):
            line, term = self._waiting
            self._waiting = None
            self._add(term, block, line)
            self.irregular.append((line, f"a blank line between {term[:40]!r} and its definition"))
        elif len(block) > 1:
            self.end()
            self._add(block[0], block[1:], number)
        elif self.terms and not _is_term(block[0]):
            last, lines, _ = self.terms[-1]
            lines.append(block[0])
            self.irregular.append((number, f"a line without a term, read as part of {last[:40]!r}"))
        else:
            self._waiting = (number, block[0])

    def end(self) -> None:
        """No definition follows any more."""
        if self._waiting is not None:
            line, term = self._waiting
            self._waiting = None
            self.irregular.append((line, f"a term without a definition: {term[:40]!r}"))
            self._add(term, [], line)

    def _add(self, term: str, lines: list[str], number: int) -> None:
        self.terms.append((term, lines, number))


def _is_term(line: str) -> bool:
    if len(line) > _LONGEST_TERM or _LIST_ITEM.match(line):
        return False
    return not line.endswith(_ENDS_OF_SENTENCES)


def _blocks(lines: Sequence[str], first_line: int) -> Iterator[Block]:
    block: Block | None = None
    for number, line in enumerate(lines, first_line):
        for part in line.split(SOFT_BREAK):
            text = part.strip()
            if not text:
                yield from _split(block)
                block = None
            elif block is None:
                block = (number, [text])
            else:
                block[1].append(text)
    yield from _split(block)


def _split(block: Block | None) -> Iterator[Block]:
    """Take a block apart at its terms where the file lacks the blank lines between them."""
    if block is None:
        return
    number, lines = block
    if len(lines) <= _MOST_LINES_OF_A_BLOCK:
        yield block
        return
    starts = [
        place
        for place, line in enumerate(lines[:-1])
        if place == 0 or (_is_term(line) and not _is_term(lines[place + 1]))
    ]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield number + start, lines[start:end]
