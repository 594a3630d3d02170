"""What `y` copies of an answer: the marked rule or card with its date, or else all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hexcore_engine.utils.validation import clean_text
from hexcore_tui.widgets.chat.pieces import Spot
from hexcore_tui.widgets.chat.turn import Turn, release_words

if TYPE_CHECKING:
    from hexcore_engine.knowledge.lookup import Knowledge


def text_to_copy(turn: Turn, spot: Spot | None, knowledge: Knowledge) -> str:
    """Return the words of the marked rule, card or term, or the whole answer where none is marked.

    Raises:
        KnowledgeRetrievalError: when a knowledge file is damaged.
    """
    if spot is None or not spot.name:
        return turn.as_text()
    if spot.kind == "rule":
        return f"{_rule_words(turn, spot.name, knowledge)} ({release_words(turn.release)})"
    kinds = ("card",) if spot.kind == "card" else ("ruling", "glossary")
    found = [passage for passage in turn.passages or () if passage.id == spot.name and passage.kind in kinds]
    if not found:
        return spot.name
    date = f"cards {turn.cards_date}" if spot.kind == "card" and turn.cards_date else found[0].source
    return clean_text(f"{found[0].title}: {found[0].text} ({date})")


def _rule_words(turn: Turn, number: str, knowledge: Knowledge) -> str:
    passage = turn.passage_of(number)
    if passage:
        return clean_text(f"{number}: {passage.text}")
    # Cited without having been found for this question: today's rules have to do, where they have it.
    rule = knowledge.rule_record(number)
    return clean_text(f"{number}: {rule.text}") if rule else number
