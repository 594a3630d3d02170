"""Finding a conversation by what was said in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from hexcore_engine.utils.validation import clean_line

# Reads rows of the sessions file.
Read = Callable[[str, tuple[Any, ...]], list[Any]]
MAX_TURNS = 2_000
EXCERPT_TOKENS = 18
# Characters that no cleaned text holds stand around what was found until their places are known.
_OPENING, _CLOSING = "\x02", "\x03"
_PARTS = re.compile(r'"([^"]*)"?|(\S+)')
_HAS_WORD = re.compile(r"\w")


def query_of(words: str) -> str:
    """Return `words` in FTS5's language: all of them, quoted ones in that order, the last one perhaps
    unfinished. Empty where there is no word."""
    parts = [_phrase(found) for found in _PARTS.finditer(words) if _HAS_WORD.search(found.group())]
    if not parts:
        return ""
    unfinished = "" if words[-1:].isspace() or words.endswith('"') else "*"
    return " ".join(parts) + unfinished


def find_said(read: Read, words: str) -> tuple[dict[str, str], Counter[str]]:
    """Return the best excerpt of each conversation that holds `words` in a turn, its marks still in it, and
    how many turns do."""
    query = query_of(words)
    rows = read(_SAID, (_OPENING, _CLOSING, EXCERPT_TOKENS, query, MAX_TURNS)) if query else []
    excerpts: dict[str, str] = {}
    for session_id, excerpt in rows:
        excerpts.setdefault(session_id, excerpt)
    return excerpts, Counter(session_id for session_id, _ in rows)


def find_titles(read: Read, words: str) -> set[str]:
    """Return the conversations whose title holds all of `words`."""
    parts = [quoted or bare for quoted, bare in _PARTS.findall(words) if _HAS_WORD.search(quoted or bare)]
    if not parts:
        return set()
    condition = " AND ".join(["title LIKE ? ESCAPE '\\'"] * len(parts))
    patterns = tuple(f"%{_escaped(part)}%" for part in parts)
    # The condition is put together from one fixed text.
    rows = read(f"SELECT session_id FROM session WHERE NOT deleted AND {condition}", patterns)  # noqa: S608
    return {row[0] for row in rows}


def marked(excerpt: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return an excerpt on one line without its marks, and their places in it."""
    text, marks = "", []
    for number, piece in enumerate(re.split(f"[{_OPENING}{_CLOSING}]", excerpt)):
        shown = _one_line(piece)
        if number % 2 and shown:
            marks.append((len(text), len(text) + len(shown)))
        text += shown
    return text, tuple(marks)


_SAID = """
    SELECT turn.session_id, snippet(said, -1, ?, ?, '…', ?)
    FROM said JOIN turn ON turn.turn_id = said.rowid JOIN session USING (session_id)
    WHERE said MATCH ? AND NOT session.deleted
    ORDER BY session.sequence DESC, said.rank LIMIT ?
"""


def _phrase(found: re.Match[str]) -> str:
    words = found.group(1) if found.group(1) is not None else found.group(2)
    return '"' + words.replace('"', '""') + '"'


def _escaped(part: str) -> str:
    return "".join(f"\\{letter}" if letter in "%_\\" else letter for letter in part)


def _one_line(piece: str) -> str:
    """Like `clean_line`, but the space at either end of a piece stays."""
    line = clean_line(piece)
    if not line:
        return " " if piece and piece.isspace() else ""
    return f"{' ' * piece[0].isspace()}{line}{' ' * piece[-1].isspace()}"
