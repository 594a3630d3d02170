"""The glossary of a rules file: blocks between blank lines, the term on the first line of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_LONGEST_TERM = 100

Irregular = tuple[int, str]  # line, reason


@dataclass(frozen=True)
class ParsedTerm:
    """One term and its definition, lines joined by newlines."""

    term: str
    text: str
    line: int


def parse_glossary(
    lines: Sequence[str], first_line: int
) -> tuple[tuple[ParsedTerm, ...], list[tuple[int, str]]]:
    """Return the terms of `lines` and what was irregular as (line, reason); `first_line` numbers line 0."""
    terms: list[ParsedTerm] = []
    irregular: list[tuple[int, str]] = []
    waiting: tuple[int, str] | None = None  # a term whose definition stands behind a blank line
    for number, block in _blocks(lines, first_line):
        if waiting is not None:
            terms.append(ParsedTerm(waiting[1], "\n".join(block), waiting[0]))
            irregular.append((waiting[0], f"a blank line between {waiting[1][:40]!r} and its definition"))
            waiting = None
        elif len(block) > 1:
            terms.append(ParsedTerm(block[0], "\n".join(block[1:]), number))
        elif terms and (len(block[0]) > _LONGEST_TERM or block[0].endswith((".", ".)", ".”"))):
            last = terms[-1]
            terms[-1] = ParsedTerm(last.term, f"{last.text}\n{block[0]}", last.line)
            irregular.append((number, f"a line without a term, read as part of {last.term[:40]!r}"))
        else:
            waiting = (number, block[0])
    if waiting is not None:
        irregular.append((waiting[0], f"a term without a definition: {waiting[1][:40]!r}"))
        terms.append(ParsedTerm(waiting[1], "", waiting[0]))
    return tuple(terms), irregular


def _blocks(lines: Sequence[str], first_line: int) -> list[tuple[int, list[str]]]:
    blocks: list[tuple[int, list[str]]] = []
    open_block = False
    for number, line in enumerate(lines, first_line):
        text = line.strip()
        if not text:
            open_block = False
        elif open_block:
            blocks[-1][1].append(text)
        else:
            blocks.append((number, [text]))
            open_block = True
    return blocks
