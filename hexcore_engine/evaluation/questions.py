"""Questions with known deciding rules, from JSON Lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from hexcore_engine.errors import ImportFileError
from hexcore_engine.utils.validation import clean_line


class EvaluationQuestion(msgspec.Struct, frozen=True):
    """A question, the rules that decide it, and the cards it names (for the linking figure alone)."""

    question: str
    rules: tuple[str, ...]
    cards: tuple[str, ...] = ()
    topic: str = ""


def read_questions(
    file: Path, on_left_out: Callable[[int], None] = lambda _: None
) -> tuple[EvaluationQuestion, ...]:
    """Read a file of one JSON object a line. Questions without rules can't be judged and are left out;
    `on_left_out` is told how many.

    Raises:
        ImportFileError: naming the line that can't be read, or an empty file.
    """
    decoder = msgspec.json.Decoder(EvaluationQuestion)
    found = []
    left_out = 0
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ImportFileError(
            f"{clean_line(str(file))} can't be read: {getattr(error, 'strerror', None) or 'it is no UTF-8'}.",
            "Name a JSON Lines file with `question` and `rules`.",
        ) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            question = decoder.decode(line)
        except msgspec.DecodeError as error:
            raise ImportFileError(
                f"{clean_line(str(file))}, line {number}: {clean_line(str(error))}.",
                'Each line is an object such as {"question": "…", "rules": ["702.19b"]}.',
            ) from error
        if question.rules:
            found.append(question)
        else:
            left_out += 1
    if not found:
        raise ImportFileError(
            f"{clean_line(str(file))} holds no question with rules.",
            "Name a JSON Lines file with `question` and `rules`.",
        )
    if left_out:
        on_left_out(left_out)
    return tuple(found)


def num_found(wanted: Sequence[str], ranked: Sequence[str], limit: int) -> int:
    """Return how many of the wanted rules stand among the first `limit`."""
    return len(set(wanted) & set(ranked[:limit]))
