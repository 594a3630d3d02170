"""A rule to read, with a trail back and forward along the links that were followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from textual import work
from textual.reactive import reactive

from hexcore_engine.errors import HexcoreError
from hexcore_engine.knowledge.rules.marks import mark_phrases
from hexcore_engine.knowledge.rules.numbers import parse_number
from hexcore_engine.knowledge.rules.records import RuleView as RuleRead
from hexcore_tui.widgets.rules.rule_document import rule_document, unknown_rule_document
from hexcore_tui.widgets.rules.surroundings import near_document, pointing_document
from hexcore_tui.widgets.rules.trail import Trail
from hexcore_tui.widgets.shared.document import HIT_STYLE, Document
from hexcore_tui.widgets.shared.failure import failure_document
from hexcore_tui.widgets.shared.knowledge_thread import knowledge_thread
from hexcore_tui.widgets.shared.linked_text import LinkedText

if TYPE_CHECKING:
    from hexcore_engine.knowledge.lookup import Knowledge

Aspect = Literal["rule", "near", "pointing"]


class RuleView(LinkedText):
    """`show(number)` looks the rule up off the event loop; a link in it posts `RuleRequested`."""

    number: reactive[str | None] = reactive(None)

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._trail: Trail[str] = Trail()
        self._aspect: Aspect = "rule"
        self._found: tuple[str, ...] = ()

    def action_back(self) -> None:
        """Show the rule read before."""
        self._start(self._trail.back())

    def action_forward(self) -> None:
        """Go forward along the trail again."""
        self._start(self._trail.forward())

    def show(self, number: str, found: tuple[str, ...] = ()) -> None:
        """Show a rule, the words `found` in it marked, and add it to the trail; the newest call wins."""
        if self.number:
            # One only glanced at becomes a step of the trail when the reader goes on from it.
            self._trail.visit(self.number)
        number = parse_number(number) or number
        self._trail.visit(number)
        self._start(number, found)

    def turn_to(self, aspect: Aspect) -> None:
        """Look at the rule in another way; once more, read it again."""
        if self.number:
            self._aspect = "rule" if self._aspect == aspect else aspect
            self._load(self.number)

    def preview(self, number: str, found: tuple[str, ...] = ()) -> None:
        """Show a rule at a glance, leaving the trail as it is."""
        self._start(number, found)

    def _start(self, number: str | None, found: tuple[str, ...] = ()) -> None:
        if number is not None:
            self._found = found
            self._aspect = "rule"
            self._load(number)

    @work(group="rule", exclusive=True, exit_on_error=False)
    async def _load(self, number: str) -> None:
        try:
            aspect, words = self._aspect, self._found
            found, document = await knowledge_thread(self).call(
                lambda knowledge: read_rule(knowledge, number, aspect)
            )
        except HexcoreError as error:
            found, document = None, failure_document(error)
        else:
            document = emphasised(document, words)
        self.number = found
        self.show_document(document)


def read_rule(knowledge: Knowledge, number: str, aspect: Aspect = "rule") -> tuple[str | None, Document]:
    """Return the number of a rule and what there is to read about it, or None and what is known instead."""
    view = knowledge.rule(number)
    if view is None:
        exists = knowledge.rule_exists(number)
        release = knowledge.release()
        return None, unknown_rule_document(number, exists, release, knowledge.move(number))
    return view.rule.number, _look(knowledge, view, aspect)


def _look(knowledge: Knowledge, view: RuleRead, aspect: Aspect) -> Document:
    if aspect == "rule":
        return rule_document(view, knowledge.rules_warnings())
    near = knowledge.neighbourhood(view.rule.number) if aspect == "near" else None
    numbers = [step.number for step in near.neighbours] if near else []
    numbers += [*view.pointed_from, *view.points_here.rules_below]
    records = {number: record for number in numbers if (record := knowledge.rule_record(number))}
    if near is not None:
        return near_document(view.rule, near, records, view.release)
    return pointing_document(view, records)


def emphasised(document: Document, words: tuple[str, ...]) -> Document:
    """Return a document with the words that a search found in it marked."""
    content = document.content
    for start, end in mark_phrases(content.plain, words):
        content = content.stylize(HIT_STYLE, start, end)
    return Document(content, document.links)
