"""A card to read, with its keywords leading to their rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.reactive import reactive

from hexcore_engine.errors import HexcoreError
from hexcore_engine.protocol.records import ErrorRecord
from hexcore_tui.widgets.cards.card_document import card_document, unknown_card_document
from hexcore_tui.widgets.shared.document import Document
from hexcore_tui.widgets.shared.failure import failure_document
from hexcore_tui.widgets.shared.knowledge_thread import knowledge_thread
from hexcore_tui.widgets.shared.linked_text import NOTHING, LinkedText

if TYPE_CHECKING:
    from hexcore_engine.knowledge.lookup import Knowledge

# Keyword abilities and keyword actions have their rules in these groups.
KEYWORD_GROUPS = ("702", "701")


class CardView(LinkedText):
    """`show(name)` looks the card up off the event loop; a keyword's link posts `RuleRequested`."""

    name_shown: reactive[str | None] = reactive(None)

    def show(self, name: str) -> None:
        """Show a card; the newest call wins."""
        self._load(name)

    def show_nothing(self, error: ErrorRecord | None) -> None:
        """Show no card, and why there is none where something went wrong."""
        self.workers.cancel_group(self, "card")
        self.name_shown = None
        self.show_document(failure_document(error) if error else NOTHING)

    @work(group="card", exclusive=True, exit_on_error=False)
    async def _load(self, name: str) -> None:
        try:
            found, document = await knowledge_thread(self).call(lambda knowledge: read_card(knowledge, name))
        except HexcoreError as error:
            found, document = None, failure_document(error)
        self.name_shown = found
        self.show_document(document)


def read_card(knowledge: Knowledge, name: str) -> tuple[str | None, Document]:
    """Return the name of a card and what there is to read about it, or None and what is known instead."""
    card = knowledge.card(name)
    status = knowledge.status()
    if card is None:
        return None, unknown_card_document(name, status)
    rules = {keyword: _rule_of_keyword(knowledge, keyword) for keyword in card.keywords}
    known = {keyword: number for keyword, number in rules.items() if number}
    return card.name, card_document(card, known, status)


def _rule_of_keyword(knowledge: Knowledge, keyword: str) -> str | None:
    """Return the rule the official glossary names; what players say of a keyword leads elsewhere."""
    return next((rule for rule in knowledge.rules_of_term(keyword) if rule.startswith(KEYWORD_GROUPS)), None)
