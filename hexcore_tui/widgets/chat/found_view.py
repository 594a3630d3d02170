"""What a search beside the chat found, in one text: cards and rules, each a link, and terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from hexcore_engine.errors import HexcoreError
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.widgets.rules.findings import add_rules_of_entry, find_rules
from hexcore_tui.widgets.shared.document import Document, DocumentBuilder
from hexcore_tui.widgets.shared.failure import failure_document
from hexcore_tui.widgets.shared.knowledge_thread import knowledge_thread
from hexcore_tui.widgets.shared.linked_text import LinkedText

if TYPE_CHECKING:
    from hexcore_engine.knowledge.cards.records import CardSearch
    from hexcore_engine.knowledge.lookup import Knowledge

NUM_TERMS = 2
NUM_CARDS = 8
NUM_RULES = 24
MUTED = "$text-muted"


class FoundView(LinkedText):
    """`search(words)` looks for rules and cards off the event loop; links post what they open."""

    def search(self, words: str) -> None:
        """Show what `words` find; the newest call wins."""
        self._search(words)

    @work(group="found", exclusive=True, exit_on_error=False)
    async def _search(self, words: str) -> None:
        try:
            document = await knowledge_thread(self).call(lambda knowledge: find_all(knowledge, words))
        except HexcoreError as error:
            document = failure_document(error)
        self.show_document(document)


def find_all(knowledge: Knowledge, words: str) -> Document:
    """Return the terms that `words` begin, the cards they name or ask for, and the rules they find."""
    builder = DocumentBuilder()
    cards = knowledge.find_cards(words, NUM_CARDS)
    findings = find_rules(knowledge, words)
    terms = [entry for finding in findings if (entry := finding.entry) and _is_begun(entry.term, words)]
    rules = [finding for finding in findings if finding.number is not None]
    if terms:
        _head(builder, "Glossary")
    for entry in terms[:NUM_TERMS]:
        builder.add(clean_line(entry.term), "bold")
        builder.add(f"  {clean_line(entry.text)}  ")
        add_rules_of_entry(builder, entry)
        builder.end_line()
    if cards.hits:
        _head(builder, f"Cards ({_how_many(cards)})")
    for hit in cards.hits:
        builder.link(clean_line(hit.name), "card", hit.name)
        builder.add(f"  {clean_line(hit.type_line)}", MUTED)
        builder.end_line()
    if rules:
        _head(builder, f"Rules ({min(NUM_RULES, len(rules))} of {len(rules)})")
    for finding in rules[:NUM_RULES]:
        builder.link(finding.label, "rule", finding.number or "")
        builder.add(f"  {finding.text}")
        builder.end_line()
    if not builder.has_text:
        builder.add(
            "Nothing was found. A rule's number, words of a rule, a term, or a card's name find something."
        )
    return builder.build()


def _is_begun(term: str, words: str) -> bool:
    """Whether `words` are a term or begin it; those that only hold them would push the rules out of sight."""
    return term.casefold().startswith(words.strip(' "').casefold())


def _how_many(cards: CardSearch) -> str:
    shown = len(cards.hits)
    # Names are not counted beyond those asked for.
    return f"the first {shown}" if shown == cards.total == NUM_CARDS else f"{shown} of {cards.total}"


def _head(builder: DocumentBuilder, words: str) -> None:
    if builder.has_text:
        builder.end_line()
    builder.add(words, MUTED)
    builder.end_line()
