"""What the lines around the list of cards say: how a query was read, what was left out, what was found."""

from __future__ import annotations

from textual.content import Content

from hexcore_engine.knowledge.cards.records import CardSearch
from hexcore_engine.knowledge.store.status import KnowledgeStatus
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.actions import first_key

MAX_ANSWERS = 100


def note_text(words: str, found: CardSearch, status: KnowledgeStatus) -> str:
    """Return the line below the list: how much was found, and how old the data is."""
    if not status.num_cards:
        return "no cards yet"
    if not words:
        return f"{status.num_cards:,} cards, {clean_line(status.cards_date or 'date unknown')}"
    if found.total > len(found.hits):
        return f"the first {len(found.hits)} of {found.total:,}"
    if len(found.hits) >= MAX_ANSWERS:
        return f"the first {len(found.hits)}"
    if found.hits:
        return f"{found.total} found"
    return "nothing could be looked for" if found.error else "nothing found"


def reading_content(found: CardSearch, typed: str, help_text: str) -> Content:
    """Return the line below the field: first what was not understood, with its column, then help for the
    operator being typed, then how the query was read where it is read otherwise than it stands."""
    if found.ignored:
        more = f"  (and {len(found.ignored) - 1} more)" if len(found.ignored) > 1 else ""
        return Content(f"left out, {clean_line(found.ignored[0])}{more}").stylize("$warning")
    if found.error:
        return Content(clean_line(f"{found.error.message} {found.error.remedy}")).stylize("$warning")
    if help_text:
        return Content(help_text).stylize("$text-muted")
    note = clean_line(found.notes[0]) if found.notes else ""
    reading = clean_line(found.reading)
    if not note and reading in ("", clean_line(typed)):
        return Content("")
    take_over = f"   {first_key('take_reading', 'cards')} takes it over"
    return Content.assemble((note or f"read as: {reading}", "$text-muted"), (take_over, "$text-disabled"))
