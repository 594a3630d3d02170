"""Cards: a field, the list that answers while one types, and the card with all its faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from hexcore_engine.errors import HexcoreError
from hexcore_engine.knowledge.cards.query.operator_help import operator_help
from hexcore_engine.knowledge.cards.records import CardSearch
from hexcore_engine.knowledge.store.status import KnowledgeStatus
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.actions import bindings_of
from hexcore_tui.host import host
from hexcore_tui.messages import CardRequested, RuleRequested
from hexcore_tui.textual_gaps import paint_now
from hexcore_tui.widgets.cards.card_document import unknown_card_document
from hexcore_tui.widgets.cards.card_list import CardList
from hexcore_tui.widgets.cards.card_view import CardView
from hexcore_tui.widgets.cards.query_words import MAX_ANSWERS, note_text, reading_content
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
NOTHING_FOUND = CardSearch((), 0, "")


class CardsScreen(Screen[None]):
    """Typing never waits: look-ups run in the look-up thread, and a newer one replaces an older."""

    BINDINGS = bindings_of("cards")
    CSS = """
    CardsScreen {
        & #body { height: 1fr; }
        & #found { width: 2fr; min-width: 26; }
        & #note { height: 1; padding: 0 1; color: $text-muted; }
        & #reading { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & CardView { width: 3fr; border-left: solid $panel; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._query = QueryInput("Name of a card, its beginning, or a query such as t:elf pow>2")
        self._found = NOTHING_FOUND
        self._reading = Static(Content(""), id="reading", markup=False)
        self._list = CardList()
        self._card = CardView()
        self._note = Static(Content(""), id="note", markup=False)
        self._preview = Delay(self)
        self._answered: Answered | None = None

    def compose(self) -> ComposeResult:
        """Field above, how it was read below it, list and card side by side."""
        yield TitleBar("cards")
        yield self._query
        yield self._reading
        with Horizontal(id="body"):
            with Vertical(id="found"):
                yield self._list
                yield self._note
            yield self._card
        yield KeyBar("cards", "everywhere")

    def on_screen_resume(self) -> None:
        """Type at once, and see what set-up may have brought since."""
        if self.focused is None:
            self.set_focus(self._query)
        self._search(self._query.words)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look up what is typed so far."""
        event.stop()
        self._search(self._query.words)

    def on_query_input_cursor_moved(self, event: QueryInput.CursorMoved) -> None:
        """Help with the operator under the cursor."""
        event.stop()
        self._say_reading()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Read the marked card."""
        event.stop()
        self._read_marked()

    def on_query_input_moved(self, event: QueryInput.Moved) -> None:
        """Move through the list while the field keeps the focus."""
        if event.key in ("up", "down"):
            self._list.action_move(-1 if event.key == "up" else 1)
        else:
            self._list.action_move_page(-1 if event.key == "pageup" else 1)

    def on_row_list_highlighted(self, event: RowList.Highlighted) -> None:
        """Show the marked card once the marking pauses; whoever reads one is not taken from it."""
        event.stop()
        if self.focused is not self._card:
            self._preview.call(self._show_marked)

    def on_row_list_selected(self, event: RowList.Selected) -> None:
        """Read the chosen card."""
        event.stop()
        self._read_marked()

    def on_rule_requested(self, message: RuleRequested) -> None:
        """A keyword's rule opens on the rules screen."""
        message.stop()
        host(self).open_rule(message.number)

    def on_card_requested(self, message: CardRequested) -> None:
        """A card named by another opens here."""
        message.stop()
        self.show_card(message.name)

    def action_focus_query(self) -> None:
        """Go back to the field; from the field itself, empty it."""
        if self._query.has_focus:
            self._query.value = ""
        self.set_focus(self._query)

    def action_take_reading(self) -> None:
        """Put the query as it was read into the field, to be mended there."""
        if self._found.reading:
            self._query.value = self._found.reading
            self.set_focus(self._query)

    def action_ask_about(self) -> None:
        """Put the card's name into a question."""
        name = self._card.name_shown or self._list.highlighted_name
        if name:
            host(self).ask_about(f"[[{clean_line(name)}]] ")

    def action_copy(self) -> None:
        """Copy the card that is shown."""
        self.app.copy_to_clipboard(self._card.document.content.plain)

    def search_for(self, words: str) -> None:
        """Look for words as if they had been typed."""
        self._query.value = clean_line(words)
        self._query.focus()

    def show_card(self, name: str) -> None:
        """Look for a card and show it."""
        self._preview.cancel()
        self._query.value = clean_line(name)
        self._card.show(name)
        self.set_focus(self._card)

    @work(group="search", exclusive=True, exit_on_error=False)
    async def _search(self, words: str) -> None:
        """Find the words, unless that is what the list shows: its mark and what is read stay then."""
        try:
            answer = await knowledge_thread(self).call(
                lambda knowledge: _find_anew(knowledge, words, self._answered)
            )
        except HexcoreError as error:
            self._answered = None
            self._show_found(NOTHING_FOUND, "")
            self._card.show_failure(error)
            return
        if answer is None:
            return
        self._answered, found, status = answer
        if not status.num_cards:
            self._card.show_document(unknown_card_document(words, status))
        elif words and not found.hits:
            self._card.show_nothing(found.error)
        changed = self._show_found(found, note_text(words, found, status))
        paint_now(self, self._list, *changed)

    def _show_found(self, found: CardSearch, note: str) -> list[Static]:
        """Show what was found; returns the lines around the list that say something else now."""
        self._found = found
        self._list.show_hits(found.hits)
        return _say(self._note, Content(note)) + self._say_reading()

    def _say_reading(self) -> list[Static]:
        query = self._query
        help_text = operator_help(query.value, query.cursor_position)
        return _say(self._reading, reading_content(self._found, query.value, help_text))

    def _show_marked(self) -> None:
        name = self._list.highlighted_name
        if name:
            self._card.show(name)

    def _read_marked(self) -> None:
        self._preview.cancel()
        self._show_marked()
        if self._list.highlighted_name:
            self.set_focus(self._card)


def _say(line: Static, content: Content) -> list[Static]:
    """Change a line of one cell's height where it says something else now, and return it then.

    A new layout of the screen, or a line painted for nothing, with each letter typed would hold it up.
    """
    if line.content == content:
        return []
    line.update(content, layout=False)
    return [line]


def _find_anew(
    knowledge: Knowledge, words: str, answered: Answered | None
) -> tuple[Answered, CardSearch, KnowledgeStatus] | None:
    """Return what words find, or None where that is what was answered last."""
    now = knowledge.generation, words
    if now == answered:
        return None
    found = knowledge.find_cards(words, MAX_ANSWERS) if words else NOTHING_FOUND
    return now, found, knowledge.status()
