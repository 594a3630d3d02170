"""What a search of the rules found: entries of the glossary, rules players have words for, rules by number or
words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from hexcore_engine.knowledge.rules.moves import RuleMove
from hexcore_engine.knowledge.rules.numbers import find_numbers, parse_number
from hexcore_engine.knowledge.rules.records import GlossaryRecord, Mark, RuleRecord
from hexcore_engine.utils.validation import clean_line, clean_text
from hexcore_tui.widgets.rules.rule_document import MUTED, first_line
from hexcore_tui.widgets.shared.document import HIT_STYLE, Document, DocumentBuilder
from hexcore_tui.widgets.shared.row_list import RowList

if TYPE_CHECKING:
    from hexcore_engine.knowledge.lookup import Knowledge

MAX_FINDINGS = 60
NUMBER_WIDTH = 9


@dataclass(frozen=True)
class Finding:
    """One row: a rule (`number`) or an entry of the glossary (`entry`). `marks` are the places in `text` that
    hold what was looked for, `found` the words that do in the whole rule."""

    label: str
    text: str
    number: str | None = None
    entry: GlossaryRecord | None = None
    marks: tuple[Mark, ...] = ()
    found: tuple[str, ...] = ()


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
        text = Content(finding.text)
        for start, end in finding.marks:
            text = text.stylize(HIT_STYLE, start, end)
        return Content.assemble((f" {finding.label:<{NUMBER_WIDTH}}", "$primary"), text)


def find_rules(knowledge: Knowledge, words: str) -> tuple[Finding, ...]:
    """Return what `words` find: a number its rule and what is under it, anything else a search."""
    number = parse_number(words)
    if number:
        rule = knowledge.rule_record(number)
        if rule is None:
            move = knowledge.move(number)
            return (_moved_finding(move),) if move else ()
        return tuple(_rule_finding(found) for found in (rule, *knowledge.contents(number)))
    entries = knowledge.glossary(words.strip('"'))
    terms = [_term_finding(entry) for entry in entries if entry.official]
    hits = knowledge.search_rules(words, limit=MAX_FINDINGS)
    section = [_rule_finding(hit.rule, hit.marks) for hit in hits if hit.of_section]
    known = {finding.number for finding in section}
    said = [
        _said_finding(number, entry.term) for entry in entries if not entry.official for number in entry.rules
    ]
    said = [finding for finding in said if finding.number not in known]
    known |= {finding.number for finding in said}
    others = (_rule_finding(hit.rule, hit.marks) for hit in hits if hit.rule.number not in known)
    # A section that was named is read as a whole.
    return (*terms, *section, *said, *others)


def glossary_document(entry: GlossaryRecord) -> Document:
    """Return an entry of the glossary as a text to read."""
    builder = DocumentBuilder()
    builder.add(clean_line(entry.term), "bold $primary")
    builder.add("  glossary", MUTED)
    builder.end_line(2)
    builder.add(clean_text(entry.text))
    builder.end_line(2)
    if entry.said:
        builder.add("Players also say (unofficial)  ", "$warning")
        builder.add("; ".join(clean_line(words) for words in entry.said))
        builder.end_line(2)
    add_rules_of_entry(builder, entry)
    return builder.build()


def add_rules_of_entry(builder: DocumentBuilder, entry: GlossaryRecord) -> None:
    """Append the rules an entry of the glossary names, each a link."""
    numbers = dict.fromkeys((*entry.rules, *find_numbers(entry.text)))
    if numbers:
        builder.add("Rules  ", MUTED)
    for number in numbers:
        builder.link(number, "rule", number)
        builder.add("  ")


def _rule_finding(rule: RuleRecord, marks: tuple[Mark, ...] = ()) -> Finding:
    line = first_line(rule)
    whole = rule.text or rule.plain
    # The line is the text's beginning, but for white space and what can't be shown.
    seen = tuple((start, end) for start, end in marks if line[start:end] == whole[start:end] != "")
    found = tuple(dict.fromkeys(whole[start:end] for start, end in marks))
    return Finding(rule.number, line, number=rule.number, marks=seen, found=found)


def _moved_finding(move: RuleMove) -> Finding:
    now = f"now {move.today}" if move.today else "gone today"
    return Finding(move.number, f"a rule of {move.release}, {now}", number=move.number)


def _said_finding(number: str, words: str) -> Finding:
    """What players call the thing a rule decides; the rule itself says it better than a list entry."""
    return Finding(number, f"“{clean_line(words)}”, players say", number=number)


def _term_finding(entry: GlossaryRecord) -> Finding:
    return Finding("term", clean_line(entry.term), entry=entry)
