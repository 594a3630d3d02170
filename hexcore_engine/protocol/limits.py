"""What a request may hold, checked on both sides of the border."""

from __future__ import annotations

from hexcore_engine.errors import UsageError
from hexcore_engine.protocol.records import MODE_NAMES, ModeName
from hexcore_engine.utils.validation import clean_text

# Far beyond any model's context, far below a frame.
MAX_QUESTION_CHARACTERS = 250_000


def check_question(question: str) -> None:
    """Refuse what is no question.

    Raises:
        UsageError: when it holds no visible sign, or more than can be sent.
    """
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise UsageError(
            f"The question has {len(question):,} characters; {MAX_QUESTION_CHARACTERS:,} are the most.",
            "Ask about less at once.",
        )
    if not clean_text(question).strip():
        raise UsageError("The question is empty.", "Type what you want to know.")


def check_experts(num_experts: int | None, mode: ModeName | None) -> None:
    """Refuse a number of experts that can't write an answer.

    Raises:
        UsageError: when there are not so many, or several are asked for and one mode.
    """
    if num_experts is not None and not 1 <= num_experts <= len(MODE_NAMES):
        raise UsageError(
            f"{num_experts} experts can't write an answer.", f"There are {len(MODE_NAMES)}; 1 writes alone."
        )
    if mode is not None and num_experts is not None and num_experts > 1:
        raise UsageError(
            f"The mode {mode} was chosen, and a chosen mode's expert writes alone.",
            "Leave out either the mode or the number of experts.",
        )
