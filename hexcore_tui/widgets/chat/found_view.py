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
    from hexcore_engine.knowledge.lookup import Knowledge

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
    """Return the cards that `words` name or ask for, the terms they are, and the rules they find."""
    builder = DocumentBuilder()
    cards = knowledge.find_cards(words, NUM_CARDS)
    findings = find_rules(knowledge, words)
    terms = [finding.entry for finding in findings if finding.entry is not None]
    rules = [finding for finding in findings if finding.number is not None]
    if cards.hits:
        _head(builder, f"Cards ({len(cards.hits)} of {cards.total})")
    for hit in cards.hits:
        builder.link(clean_line(hit.name), "card", hit.name)
        builder.add(f"  {clean_line(hit.type_line)}", MUTED)
        builder.end_line()
    if terms:
        _head(builder, "Glossary")
    for entry in terms:
        builder.add(clean_line(entry.term), "bold")
        builder.add(f"  {clean_line(entry.text)}  ")
        add_rules_of_entry(builder, entry)
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


def _head(builder: DocumentBuilder, words: str) -> None:
    if builder.has_text:
        builder.end_line()
    builder.add(words, MUTED)
    builder.end_line()
