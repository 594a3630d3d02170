"""What changed between two releases: one row a rule, and the changed words as a text to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from textual.content import Content

from hexcore_engine.knowledge.rules.changes import ReleaseChanges, WordChange
from hexcore_engine.utils.validation import clean_line, clean_text
from hexcore_tui.widgets.rules.rule_document import MUTED, TITLE
from hexcore_tui.widgets.shared.document import Document, DocumentBuilder
from hexcore_tui.widgets.shared.row_list import RowList

ADDED = "$success"
REMOVED = "$error strike"
_SIGNS = {"added": "+", "removed": "−", "changed": "~", "moved": "→", "term": "§"}
_STYLES = {
    "added": "$success",
    "removed": "$error",
    "changed": "$warning",
    "moved": "$primary",
    "term": MUTED,
}


@dataclass(frozen=True)
class Change:
    """One row. `number` is the rule in the newer release, or None where it has none there."""

    kind: str
    label: str
    words: tuple[WordChange, ...]
    number: str | None = None
    note: str = ""


class ChangeList(RowList):
    """One row a change: its sign, the number, and how the text begins."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._changes: tuple[Change, ...] = ()

    @property
    def marked(self) -> Change | None:
        """The marked row."""
        return None if self.highlighted is None else self._changes[self.highlighted]

    def show_changes(self, changes: tuple[Change, ...]) -> None:
        """Replace the rows; the first is marked."""
        self._changes = changes
        self.show_rows(len(changes), self._draw_change)

    def _draw_change(self, index: int, _width: int) -> Content:
        change = self._changes[index]
        text = clean_line("".join(word.text for word in change.words if word.kind != "removed"))
        sign = (f" {_SIGNS[change.kind]} ", _STYLES[change.kind])
        return Content.assemble(sign, (f"{change.label:<10} ", "$primary"), text or change.note)


def changes_of(changes: ReleaseChanges) -> tuple[Change, ...]:
    """Return all changes as rows: added, removed, reworded, moved, then the glossary."""
    return tuple(_rows(changes))


def change_document(change: Change, old: str, new: str) -> Document:
    """Return one change as a text: words taken out struck through, words put in coloured."""
    builder = DocumentBuilder()
    builder.add(f"{old} → {new}", MUTED)
    builder.end_line()
    builder.add(clean_line(change.label), "bold $primary")
    builder.add(f"  {change.note}", TITLE)
    builder.end_line(2)
    for word in change.words:
        style = {"kept": "", "added": ADDED, "removed": REMOVED}[word.kind]
        builder.add(clean_text(word.text), style)
    if change.words:
        builder.end_line(2)
    if change.number:
        builder.add("Read it: ", MUTED)
        builder.link(change.number, "rule", change.number)
    return builder.build()


def _rows(changes: ReleaseChanges) -> Iterator[Change]:
    for rule in changes.added:
        yield Change("added", rule.rule, (WordChange("added", rule.text),), rule.rule, "added")
    for rule in changes.removed:
        yield Change("removed", rule.rule, (WordChange("removed", rule.text),), None, "removed")
    for changed in changes.changed:
        note = "names other numbers" if changed.numbers_only else "reworded"
        yield Change("changed", changed.rule, changed.words, changed.rule, note)
    for moved in changes.moved:
        note = f"now {moved.new}" + _and_reworded(moved.words, moved.numbers_only)
        yield Change("moved", moved.old, moved.words, moved.new, note)
    for term in changes.glossary:
        yield Change("term", clean_line(term.term), term.words, None, f"glossary, {term.kind}")


def _and_reworded(words: Sequence[WordChange], numbers_only: bool) -> str:
    return ", and reworded" if words and not numbers_only else ""
