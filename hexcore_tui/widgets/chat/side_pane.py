"""A rule or card beside the chat, or what a search found, with the trail of what was read before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import ContentSwitcher, Input, Static

from hexcore_engine.utils.validation import clean_line, clean_text
from hexcore_tui.actions import bindings_of
from hexcore_tui.host import host
from hexcore_tui.messages import CardRequested, RuleRequested, TextRequested
from hexcore_tui.widgets.cards.card_view import CardView
from hexcore_tui.widgets.chat.found_view import FoundView
from hexcore_tui.widgets.rules.rule_view import RuleView
from hexcore_tui.widgets.rules.trail import Trail
from hexcore_tui.widgets.shared.delay import Delay
from hexcore_tui.widgets.shared.document import Document, DocumentBuilder
from hexcore_tui.widgets.shared.key_bar import KeyBar
from hexcore_tui.widgets.shared.linked_text import LinkedText
from hexcore_tui.widgets.shared.query_input import QueryInput


@dataclass(frozen=True)
class Page:
    """What the pane can show; `text` is that of a passage that is neither rule nor card. The name of what was
    found are the words looked for."""

    kind: Literal["rule", "card", "text", "found"]
    name: str
    text: str = ""
    source: str = ""


class SidePane(Vertical):
    """One page at a time; opening another from within keeps the trail."""

    BINDINGS = bindings_of("pane")
    DEFAULT_CSS = """
    SidePane {
        width: 45%;
        min-width: 30;
        border-left: solid $panel;
        & > .title {
            height: 1;
            padding: 0 1;
            background: $boost;
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }
        & > ContentSwitcher { height: 1fr; }
    }
    """

    class Closed(Message):
        """The reader is done here."""

    def __init__(self) -> None:
        super().__init__(classes="side-pane")
        self._trail: Trail[Page] = Trail()
        self._title = Static(classes="title")
        self._rule = RuleView(id="rule")
        self._card = CardView(id="card")
        self._text = LinkedText(id="text")
        self._found = FoundView(id="found")
        self._field = QueryInput("A rule's number, words of a rule, or a card")
        self._pages = ContentSwitcher(initial="rule")
        self._field.display = False
        self._typing = Delay(self)

    def compose(self) -> ComposeResult:
        """The title tells what is read and where on the trail, the keys how to go on."""
        yield self._title
        yield self._field
        with self._pages:
            yield self._rule
            yield self._card
            yield self._text
            yield self._found
        yield KeyBar("text", "pane")

    def on_rule_requested(self, message: RuleRequested) -> None:
        """Follow a link inside the pane."""
        message.stop()
        self.open(Page("rule", message.number))

    def on_card_requested(self, message: CardRequested) -> None:
        """Follow a link inside the pane."""
        message.stop()
        self.open(Page("card", message.name))

    def on_input_changed(self, message: Input.Changed) -> None:
        """Show what is found so far; on the trail is only what one goes into."""
        message.stop()
        self._typing.call(self._preview)

    def on_query_input_moved(self, message: QueryInput.Moved) -> None:
        """Go down from the field into what was found."""
        if message.key == "down":
            self._go_into_found()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Look for what was typed."""
        message.stop()
        self._go_into_found()

    def action_search(self) -> None:
        """Type what to look for; what stands in the question field stays there."""
        self._field.value = ""
        # At once, not with the next style: letters typed together with the key belong to the field.
        self._field.display = True
        self.screen.set_focus(self._field)

    def _go_into_found(self) -> None:
        if self._field.words:
            self.open(Page("found", self._field.words))

    def _preview(self) -> None:
        if self._field.has_focus and self._field.words:
            self._pages.current = "found"
            self._found.search(self._field.words)

    def action_back(self) -> None:
        """Go back along the trail."""
        self._show(self._trail.back())

    def action_forward(self) -> None:
        """Go forward along the trail."""
        self._show(self._trail.forward())

    def action_close(self) -> None:
        """Leave the search for what was read before it, else close the pane; the trail stays for the next
        time."""
        if self._field.has_focus and self._trail.current:
            self._show(self._trail.current)
        else:
            self._field.display = False
            self.post_message(self.Closed())

    def action_ask_about(self) -> None:
        """Put what is read, or the words that were looked for, into the question being written."""
        page = self._trail.current
        if page:
            name = clean_line(page.name)
            host(self).ask_about(f"[[{name}]] " if page.kind == "card" else f"{name} ")

    def action_copy(self) -> None:
        """Copy what is read, its source and date with it."""
        self.app.copy_to_clipboard(self._shown.document.content.plain)

    def open(self, page: Page) -> None:
        """Show a page and put it on the trail."""
        self._trail.visit(page)
        self._show(page)

    def take_focus(self) -> None:
        """Let the keys go to the text."""
        self.screen.set_focus(self._shown)

    @property
    def _shown(self) -> LinkedText:
        pages = {"rule": self._rule, "card": self._card, "text": self._text, "found": self._found}
        return pages[self._pages.current or "rule"]

    def _show(self, page: Page | None) -> None:
        if page is None:
            return
        if page.kind == "rule":
            self._rule.preview(page.name)
        elif page.kind == "card":
            self._card.show(page.name)
        elif page.kind == "found":
            self._found.search(page.name)
        else:
            self._text.show_document(_text_document(page))
        self._field.display = False
        self._pages.current = page.kind
        self._title.update(self._title_content(page))
        self.take_focus()

    def _title_content(self, page: Page) -> Content:
        before, after = self._trail.num_before, self._trail.num_after
        place = f"  {before + 1} of {before + 1 + after}" if before or after else ""
        return Content.assemble((clean_line(page.name), "bold $primary"), (place, "$text-muted"))


def page_of(message: RuleRequested | CardRequested | TextRequested) -> Page:
    """Return the page a wish asks for."""
    if isinstance(message, RuleRequested):
        return Page("rule", message.number)
    if isinstance(message, CardRequested):
        return Page("card", message.name)
    return Page("text", message.title, message.text, message.source)


def _text_document(page: Page) -> Document:
    builder = DocumentBuilder()
    builder.add(clean_line(page.source), "$text-muted")
    builder.end_line(2)
    builder.add(clean_text(page.text))
    return builder.build()
