"""What a search of the rules found: entries of the glossary, rules players have words for, rules by number or
words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from hexcore_engine.knowledge.rules.numbers import find_numbers, parse_number
from hexcore_engine.knowledge.rules.records import GlossaryRecord, RuleRecord
from hexcore_engine.utils.validation import clean_line, clean_text
from hexcore_tui.widgets.rules.rule_document import MUTED, first_line
from hexcore_tui.widgets.shared.document import Document, DocumentBuilder
from hexcore_tui.widgets.shared.row_list import RowList

if TYPE_CHECKING:
    from hexcore_engine.knowledge.lookup import Knowledge

MAX_FINDINGS = 60
NUMBER_WIDTH = 9


@dataclass(frozen=True)
class Finding:
    """One row: a rule (`number`) or an entry of the glossary (`entry`)."""

    label: str
    text: str
    number: str | None = None
    entry: GlossaryRecord | None = None


class FindingList(RowList):
    """One row a finding: its number or "term", and how it begins."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._findings: tuple[Finding, ...] = ()

    @property
    def marked(self) -> Finding | None:
        """The marked row."""
        return None if self.highlighted is None else self._findings[self.highlighted]

    def show_findings(self, findings: tuple[Finding, ...]) -> None:
        """Replace the rows; the first is marked."""
        self._findings = findings
        self.show_rows(len(findings), self._draw_finding)

    def _draw_finding(self, index: int, _width: int) -> Content:
        finding = self._findings[index]
        return Content.assemble((f" {finding.label:<{NUMBER_WIDTH}}", "$primary"), finding.text)


def find_rules(knowledge: Knowledge, words: str) -> tuple[Finding, ...]:
    """Return what `words` find: a number its rule and what is under it, anything else a search."""
    number = parse_number(words)
    if number:
        rule = knowledge.rule_record(number)
        under = knowledge.contents(number)
        return tuple(_rule_finding(found) for found in (*((rule,) if rule else ()), *under))
    entries = knowledge.glossary(words.strip('"'))
    terms = [_term_finding(entry) for entry in entries if entry.official]
    said = [
        _said_finding(number, entry.term) for entry in entries if not entry.official for number in entry.rules
    ]
    known = {finding.number for finding in said}
    hits = [hit.rule for hit in knowledge.search_rules(words, limit=MAX_FINDINGS)]
    return (*terms, *said, *(_rule_finding(rule) for rule in hits if rule.number not in known))


def glossary_document(entry: GlossaryRecord) -> Document:
    """Return an entry of the glossary as a text to read."""
    builder = DocumentBuilder()
    builder.add(clean_line(entry.term), "bold $primary")
    builder.add("  glossary", MUTED)
    builder.end_line(2)
    builder.add(clean_text(entry.text))
    builder.end_line(2)
    numbers = dict.fromkeys((*entry.rules, *find_numbers(entry.text)))
    if numbers:
        builder.add("Rules  ", MUTED)
    for number in numbers:
        builder.link(number, "rule", number)
        builder.add("  ")
    return builder.build()


def _rule_finding(rule: RuleRecord) -> Finding:
    return Finding(rule.number, first_line(rule), number=rule.number)


def _said_finding(number: str, words: str) -> Finding:
    """What players call the thing a rule decides; the rule itself says it better than a list entry."""
    return Finding(number, f"“{clean_line(words)}”, players say", number=number)


def _term_finding(entry: GlossaryRecord) -> Finding:
    return Finding("term", clean_line(entry.term), entry=entry)
