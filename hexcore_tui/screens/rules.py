"""Rules: a field for numbers and words, the contents or what was found, and the rule being read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import ContentSwitcher, Input, Static, Tree

from hexcore_engine.errors import HexcoreError
from hexcore_engine.knowledge.rules.records import ReleaseRecord
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.actions import bindings_of
from hexcore_tui.host import host
from hexcore_tui.messages import CardRequested, RuleRequested
from hexcore_tui.widgets.rules.contents_tree import ContentsTree
from hexcore_tui.widgets.rules.findings import (
    MAX_FINDINGS,
    Finding,
    FindingList,
    find_rules,
    glossary_document,
)
from hexcore_tui.widgets.rules.rule_document import release_text, unknown_rule_document
from hexcore_tui.widgets.rules.rule_view import RuleView
from hexcore_tui.widgets.shared.delay import Delay
from hexcore_tui.widgets.shared.key_bar import KeyBar
from hexcore_tui.widgets.shared.knowledge_thread import knowledge_thread
from hexcore_tui.widgets.shared.query_input import QueryInput
from hexcore_tui.widgets.shared.row_list import RowList
from hexcore_tui.widgets.shared.title_bar import TitleBar

if TYPE_CHECKING:
    from hexcore_engine.knowledge.lookup import Knowledge


# What a list answers: the state of the knowledge files and the words.
Answered = tuple[int | None, str]


class RulesScreen(Screen[None]):
    """With an empty field the contents are shown, with words in it what they find."""

    BINDINGS = bindings_of("rules")
    CSS = """
    RulesScreen {
        & #body { height: 1fr; }
        & #left { width: 2fr; min-width: 26; }
        & ContentSwitcher { height: 1fr; }
        & #note, & #release { height: 1; padding: 0 1; color: $text-muted; }
        & #right { width: 3fr; border-left: solid $panel; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._query = QueryInput('A number, words, or "words in this order"')
        self._contents = ContentsTree(id="contents")
        self._list = FindingList(id="findings")
        self._rule = RuleView()
        self._note = Static("", id="note", markup=False)
        self._release = Static("", id="release", markup=False)
        self._preview = Delay(self)
        self._answered: Answered | None = None

    def compose(self) -> ComposeResult:
        """Field above, list and rule side by side; the release is always in sight."""
        yield TitleBar("rules")
        yield self._query
        with Horizontal(id="body"):
            with Vertical(id="left"):
                with ContentSwitcher(initial="contents"):
                    yield self._contents
                    yield self._list
                yield self._note
            with Vertical(id="right"):
                yield self._rule
                yield self._release
        yield KeyBar("rules", "everywhere")

    def on_screen_resume(self) -> None:
        """Type at once, and see what set-up may have brought since."""
        if self.focused is None:
            self.set_focus(self._query)
        self._contents.reload()
        self._search(self._query.words)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look up what is typed so far."""
        event.stop()
        self._search(self._query.words)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Read the marked rule; with an empty field, walk the contents."""
        event.stop()
        if self._query.words:
            self._read_marked()
        else:
            self.set_focus(self._contents)

    def on_query_input_moved(self, event: QueryInput.Moved) -> None:
        """Move through the list while the field keeps the focus; down from an empty one into the contents."""
        if not self._query.words:
            self.set_focus(self._contents)
        elif event.key in ("up", "down"):
            self._list.action_move(-1 if event.key == "up" else 1)
        else:
            self._list.action_move_page(-1 if event.key == "pageup" else 1)

    def on_row_list_highlighted(self, event: RowList.Highlighted) -> None:
        """Show the marked rule once the marking pauses; whoever reads one is not taken from it."""
        event.stop()
        if self.focused is not self._rule:
            self._preview.call(self._preview_marked)

    def on_row_list_selected(self, event: RowList.Selected) -> None:
        """Read the chosen rule."""
        event.stop()
        self._read_marked()

    def on_tree_node_highlighted(self, event: Tree.NodeHighlighted[str]) -> None:
        """Show the rule under the cursor once it pauses."""
        event.stop()
        number = event.node.data
        if number and self._contents.has_focus:
            self._preview.call(lambda: self._rule.preview(number))

    def on_tree_node_selected(self, event: Tree.NodeSelected[str]) -> None:
        """Read the chosen rule; one that has nothing under it takes the focus."""
        event.stop()
        if event.node.data:
            self._preview.cancel()
            self._rule.show(event.node.data)
            if not event.node.allow_expand:
                self.set_focus(self._rule)

    def on_rule_requested(self, message: RuleRequested) -> None:
        """Follow a link."""
        message.stop()
        self._preview.cancel()
        self._rule.show(message.number)

    def on_card_requested(self, message: CardRequested) -> None:
        """A card opens on the cards screen."""
        message.stop()
        host(self).open_card(message.name)

    def action_focus_query(self) -> None:
        """Go back to the field; from the field itself, empty it."""
        if self._query.has_focus:
            self._query.value = ""
        self.set_focus(self._query)

    def action_back(self) -> None:
        """Show the rule read before."""
        self._rule.action_back()

    def action_forward(self) -> None:
        """Go forward along the trail again."""
        self._rule.action_forward()

    def action_ask_about(self) -> None:
        """Put the rule's number into a question."""
        if self._rule.number:
            host(self).ask_about(f"{self._rule.number} ")

    def action_copy(self) -> None:
        """Copy what is read; the release, where it does not say it itself."""
        text, release = self._rule.document.content.plain, str(self._release.content)
        self.app.copy_to_clipboard(text if not text or release in text else f"{text}\n\n{release}")

    def action_show_near(self) -> None:
        """Turn to what is near the rule, and back."""
        self._rule.turn_to("near")

    def action_show_pointing(self) -> None:
        """Turn to what points to the rule, and back."""
        self._rule.turn_to("pointing")

    def action_show_changes(self) -> None:
        """Open the list of changes; a rule chosen there is read here."""
        from hexcore_tui.screens.rule_changes import RuleChangesScreen

        self.app.push_screen(RuleChangesScreen(), self._read_chosen)

    def _read_chosen(self, number: str | None) -> None:
        if number:
            self.show_rule(number)

    def search_for(self, words: str) -> None:
        """Look for words as if they had been typed."""
        self._query.value = clean_line(words)
        self._query.focus()

    def show_rule(self, number: str) -> None:
        """Show a rule and read it."""
        self._preview.cancel()
        self._rule.show(number)
        self.set_focus(self._rule)

    def _search(self, words: str) -> None:
        self.query_one(ContentSwitcher).current = "findings" if words else "contents"
        self._look_up(words)

    @work(group="search", exclusive=True, exit_on_error=False)
    async def _look_up(self, words: str) -> None:
        """Find the words, unless that is what the list shows: its mark and what is read stay then."""
        try:
            answer = await knowledge_thread(self).call(
                lambda knowledge: _find_anew(knowledge, words, self._answered)
            )
        except HexcoreError as error:
            self._answered = None
            self._list.show_findings(())
            self._note.update("")
            self._rule.show_failure(error)
            return
        if answer is None:
            return
        self._answered, findings, release = answer
        if release is None:
            self._rule.show_document(unknown_rule_document(words, False, release))
        self._release.update(release_text(release))
        self._note.update(note_text(words, len(findings), release), layout=False)
        if words:
            self._list.show_findings(findings)

    def _preview_marked(self) -> None:
        finding = self._list.marked
        if finding and finding.number:
            self._rule.preview(finding.number, finding.found)
        elif finding and finding.entry:
            self._rule.show_document(glossary_document(finding.entry))

    def _read_marked(self) -> None:
        finding = self._list.marked
        if finding is None:
            return
        self._preview.cancel()
        if finding.number:
            self._rule.show(finding.number, finding.found)
        else:
            self._preview_marked()
        self.set_focus(self._rule)


def note_text(words: str, num_findings: int, release: ReleaseRecord | None) -> str:
    """Return the line below the list."""
    if release is None:
        return "no rules yet"
    if not words:
        return f"{release.num_rules:,} rules"
    if num_findings >= MAX_FINDINGS:
        return f"the best {num_findings}"
    return f"{num_findings} found" if num_findings else "nothing found"


def _find_anew(
    knowledge: Knowledge, words: str, answered: Answered | None
) -> tuple[Answered, tuple[Finding, ...], ReleaseRecord | None] | None:
    """Return what words find, or None where that is what was answered last."""
    now = knowledge.generation, words
    if now == answered:
        return None
    return now, find_rules(knowledge, words) if words else (), knowledge.release()
