"""A rule or card beside the chat, with the trail of what was read before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from hexcore_engine.errors import KnowledgeRetrievalError
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_tui.actions import bindings_of
from hexcore_tui.messages import CardRequested, RuleRequested
from hexcore_tui.widgets.chat.links import LinkList
from hexcore_tui.widgets.chat.reading import Page, card_page, rule_page

Loader = Callable[[], Page]


class SidePane(Vertical):
    """One page at a time; opening another from within keeps the trail."""

    BINDINGS = bindings_of("pane")
    DEFAULT_CSS = """
    SidePane {
        width: 45%;
        min-width: 30;
        border-left: solid $panel;
        & > .title { height: auto; padding: 0 1; background: $boost; text-style: bold; }
        & > VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
        & > VerticalScroll > Static { height: auto; padding: 0 1 1 1; }
    }
    """

    class Closed(Message):
        """The reader is done here."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._knowledge = Knowledge(folder)
        self._trail: list[Loader] = []
        self._place = -1
        self._title = Static(classes="title")
        self._body = Static()
        self._links = LinkList()

    def compose(self) -> ComposeResult:
        """Title, then text and links in one scroll."""
        yield self._title
        with VerticalScroll(can_focus=False):
            yield self._body
            yield self._links

    def on_unmount(self) -> None:
        """Let the knowledge files go."""
        self._knowledge.close()

    def on_rule_requested(self, message: RuleRequested) -> None:
        """Follow a link inside the pane."""
        message.stop()
        self.open_rule(message.number)

    def on_card_requested(self, message: CardRequested) -> None:
        """Follow a link inside the pane."""
        message.stop()
        self.open_card(message.name)

    def action_back(self) -> None:
        """Go back along the trail."""
        self._go(self._place - 1)

    def action_forward(self) -> None:
        """Go forward along the trail."""
        self._go(self._place + 1)

    def action_close(self) -> None:
        """Close the pane; the trail stays for the next time."""
        self.post_message(self.Closed())

    def open_rule(self, number: str) -> None:
        """Show a rule."""
        self._open(lambda: rule_page(self._knowledge, number))

    def open_card(self, name: str) -> None:
        """Show a card."""
        self._open(lambda: card_page(self._knowledge, name))

    def open_text(self, title: str, text: str, source: str) -> None:
        """Show a passage that is neither."""
        page = Page(title, source, Content(text))
        self._open(lambda: page)

    def take_focus(self) -> None:
        """Put the focus where arrow keys are of use."""
        self._links.focus()

    def _open(self, load: Loader) -> None:
        self._trail = [*self._trail[: self._place + 1], load]
        self._go(len(self._trail) - 1)

    def _go(self, place: int) -> None:
        if not 0 <= place < len(self._trail):
            return
        self._place = place
        self._show(self._load(self._trail[place]))

    def _load(self, load: Loader) -> Page:
        try:
            return load()
        except KnowledgeRetrievalError as error:
            return Page("Not readable", "", Content(f"{error.message} {error.remedy}"))

    def _show(self, page: Page) -> None:
        trail = f"  {self._place + 1}/{len(self._trail)}" if len(self._trail) > 1 else ""
        self._title.update(
            Content.assemble(
                (page.title, "$primary"),
                (trail, "$text-muted"),
                (f"\n{page.source}", "not bold $text-muted") if page.source else "",
            )
        )
        self._body.update(page.body)
        self._links.show(page.links)
        self._links.highlighted = 0 if page.links else None
        self.query_one(VerticalScroll).scroll_home(animate=False)
