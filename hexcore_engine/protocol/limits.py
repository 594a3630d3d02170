"""What a request may hold, checked on both sides of the border."""

from __future__ import annotations

from hexcore_engine.errors import UsageError
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
