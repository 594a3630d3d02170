"""A rule to read, with a trail back and forward along the links that were followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.message import Message
from textual.reactive import reactive

from hexcore_engine.errors import HexcoreError
from hexcore_engine.knowledge.rules.numbers import parse_number
from hexcore_tui.widgets.rules.rule_document import rule_document, unknown_rule_document
from hexcore_tui.widgets.rules.trail import Trail
from hexcore_tui.widgets.shared.document import Document
from hexcore_tui.widgets.shared.failure import failure_document
from hexcore_tui.widgets.shared.knowledge_thread import knowledge_thread
from hexcore_tui.widgets.shared.linked_text import LinkedText

if TYPE_CHECKING:
    from hexcore_engine.knowledge.lookup import Knowledge


class RuleView(LinkedText):
    """`show(number)` looks the rule up off the event loop; a link in it posts `RuleRequested`."""

    number: reactive[str | None] = reactive(None)

    class Shown(Message):
        """A rule is on the screen; `number` is None when it was not found."""

        def __init__(self, number: str | None) -> None:
            super().__init__()
            self.number = number

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._trail: Trail[str] = Trail()

    def action_back(self) -> None:
        """Show the rule read before."""
        self._start(self._trail.back())

    def action_forward(self) -> None:
        """Go forward along the trail again."""
        self._start(self._trail.forward())

    def show(self, number: str) -> None:
        """Show a rule and add it to the trail; the newest call wins."""
        if self.number:
            # One only glanced at becomes a step of the trail when the reader goes on from it.
            self._trail.visit(self.number)
        number = parse_number(number) or number
        self._trail.visit(number)
        self._start(number)

    def preview(self, number: str) -> None:
        """Show a rule at a glance, leaving the trail as it is."""
        self._start(number)

    @property
    def trail(self) -> Trail[str]:
        """What was read, and where in it the reader is."""
        return self._trail

    def _start(self, number: str | None) -> None:
        if number is not None:
            self._load(number)

    @work(group="rule", exclusive=True, exit_on_error=False)
    async def _load(self, number: str) -> None:
        try:
            found, document = await knowledge_thread(self).call(lambda knowledge: _read(knowledge, number))
        except HexcoreError as error:
            found, document = None, failure_document(error)
        self.number = found
        self.show_document(document)
        self.post_message(self.Shown(found))


def _read(knowledge: Knowledge, number: str) -> tuple[str | None, Document]:
    view = knowledge.rule(number)
    if view is None:
        exists = knowledge.rule_exists(number)
        return None, unknown_rule_document(number, exists, knowledge.release())
    return view.rule.number, rule_document(view)
