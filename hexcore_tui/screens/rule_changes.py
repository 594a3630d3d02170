"""What changed from an older release of the rules to the one in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Static

from hexcore_engine.errors import HexcoreError
from hexcore_engine.knowledge.rules.changes import ReleaseChanges
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.actions import bindings_of
from hexcore_tui.host import host
from hexcore_tui.messages import RuleRequested
from hexcore_tui.widgets.rules.change_list import ChangeList, change_document, changes_of
from hexcore_tui.widgets.shared.document import DocumentBuilder
from hexcore_tui.widgets.shared.key_bar import KeyBar
from hexcore_tui.widgets.shared.knowledge_thread import knowledge_thread
from hexcore_tui.widgets.shared.linked_text import LinkedText
from hexcore_tui.widgets.shared.row_list import RowList
from hexcore_tui.widgets.shared.title_bar import TitleBar

if TYPE_CHECKING:
    from hexcore_engine.knowledge.lookup import Knowledge

ONE_RELEASE = "Two releases are needed. Import an older or newer one: hexcore data import FILE"


class RuleChangesScreen(Screen[str | None]):
    """The list of changes and the marked one, word by word; leaves with the number of a rule to read."""

    BINDINGS = bindings_of("changes")
    CSS = """
    RuleChangesScreen {
        & #body { height: 1fr; }
        & #left { width: 2fr; min-width: 26; }
        & #note { height: 1; padding: 0 1; color: $text-muted; }
        & LinkedText { width: 3fr; border-left: solid $panel; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._list = ChangeList(id="changes")
        self._text = LinkedText(id="words")
        self._note = Static("", id="note", markup=False)
        self._older: tuple[str, ...] = ()
        self._place = 0
        self._shown: ReleaseChanges | None = None

    def compose(self) -> ComposeResult:
        """The list left, the words right."""
        yield TitleBar("rules")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield self._list
                yield self._note
            yield self._text
        yield KeyBar("changes", "everywhere")

    def on_mount(self) -> None:
        """Compare with the release before the one in use."""
        self._list.focus()
        self._start()

    def on_row_list_highlighted(self, event: RowList.Highlighted) -> None:
        """Show the marked change."""
        event.stop()
        change = self._list.marked
        if change is not None and self._shown is not None:
            self._text.show_document(change_document(change, self._shown.old, self._shown.new))

    def on_row_list_selected(self, event: RowList.Selected) -> None:
        """Read the rule."""
        event.stop()
        if self._list.marked and self._list.marked.number:
            self.dismiss(self._list.marked.number)

    def on_rule_requested(self, message: RuleRequested) -> None:
        """Read the rule a link names."""
        message.stop()
        self.dismiss(message.number)

    def action_older(self) -> None:
        """Compare with the release before."""
        self._go(1)

    def action_newer(self) -> None:
        """Compare with the release after."""
        self._go(-1)

    def action_ask_about(self) -> None:
        """Put the marked rule, by the number it has now where it still has one, or term into a question."""
        change = self._list.marked
        if change is not None:
            host(self).ask_about(f"{change.number or change.label} ")

    def action_leave(self) -> None:
        """Go back to the rules."""
        self.dismiss(None)

    def _go(self, delta: int) -> None:
        place = self._place + delta
        if 0 <= place < len(self._older):
            self._place = place
            self._start()

    def _start(self) -> None:
        self._note.update("comparing …")
        self._compare()

    @work(group="changes", exclusive=True, exit_on_error=False)
    async def _compare(self) -> None:
        place = self._place
        try:
            older, changes = await knowledge_thread(self).call(lambda knowledge: _read(knowledge, place))
        except HexcoreError as error:
            self._say(f"{error.message} {error.remedy}")
            return
        self._older, self._shown = older, changes
        if changes is None:
            self._say(ONE_RELEASE)
            return
        rows = changes_of(changes)
        self._list.show_changes(rows)
        self._note.update(f"{len(rows)} changes · {changes.old} → {changes.new}")

    def _say(self, words: str) -> None:
        """Say what is wrong where there is room for it."""
        self._note.update("nothing compared")
        builder = DocumentBuilder()
        builder.add(clean_line(words))
        self._text.show_document(builder.build())


def _read(knowledge: Knowledge, place: int) -> tuple[tuple[str, ...], ReleaseChanges | None]:
    release = knowledge.release()
    if release is None:
        return (), None
    older = tuple(key for key in knowledge.releases() if key < release.key)
    return older, knowledge.changes(older[place], release.key) if place < len(older) else None
