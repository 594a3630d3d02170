"""The question field and the list below it, which offers card names or earlier questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from hexcore_engine.errors import HexcoreError
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.widgets.chat.prompt_input import PromptInput

if TYPE_CHECKING:
    from hexcore_tui.widgets.shared.row_list import RowList

MOST_NAMES = 8
MOST_QUESTIONS = 50


class PromptArea(Vertical):
    """The field keeps the focus; the list shows what fits, and Tab or Enter takes it."""

    DEFAULT_CSS = """
    PromptArea {
        height: auto;
        & > RowList { display: none; height: 6; padding: 0 2; background: $panel; }
        &.-offering > RowList { display: block; }
    }
    """

    def __init__(self, prompt: PromptInput) -> None:
        super().__init__()
        self._prompt = prompt
        self._prompt.choose = self._choose
        self._prompt.offer_history = self._offer_history
        self._list: RowList | None = None
        self._offers: list[str] = []

    def compose(self) -> ComposeResult:
        """The list comes with the first offer."""
        yield self._prompt

    def on_prompt_input_name_begun(self, message: PromptInput.NameBegun) -> None:
        """Look for the card whose name is being written."""
        message.stop()
        if message.name is None:
            self.workers.cancel_group(self, "names")
            self._close("cards")
        else:
            self._look_up(message.name)

    def on_row_list_highlighted(self, message: RowList.Highlighted) -> None:
        """Nothing else shows the marked offer."""
        message.stop()

    def on_row_list_selected(self, message: RowList.Selected) -> None:
        """Take the offer that was clicked."""
        message.stop()
        if message.index is not None and message.index < len(self._offers):
            self._take(message.index)

    @work(group="names", exclusive=True, exit_on_error=False)
    async def _look_up(self, name: str) -> None:
        from hexcore_tui.widgets.shared.knowledge_thread import knowledge_thread

        try:
            hits = await knowledge_thread(self).call(lambda known: known.complete_names(name, MOST_NAMES))
        except HexcoreError:
            # A damaged file is told by the screens that read it; here there is just nothing to offer.
            hits = ()
        if self._prompt.begun_name is None:
            # Ended meanwhile: a list shown now would take the next Enter.
            return
        if not hits:
            self._close("cards")
            return
        self._prompt.offers = "cards"
        self._show([clean_line(hit.name) for hit in hits], "")

    def _offer_history(self, words: str) -> None:
        """Offer earlier questions that hold the words typed."""
        found = self._prompt.earlier(words)[:MOST_QUESTIONS]
        self._prompt.offers = "history"
        self._show(found or [], "No earlier question holds these words; Esc goes back.")

    def _choose(self, key: str) -> None:
        """Move through what is offered, take the marked one, or close the list."""
        if key in ("up", "down") and self._list:
            self._list.action_move(-1 if key == "up" else 1)
        elif key == "escape" or not self._offers:
            self._close()
        else:
            self._take((self._list and self._list.highlighted) or 0)

    def _show(self, offers: list[str], otherwise: str) -> None:
        self._offers = offers
        rows = [clean_line(offer) for offer in offers] or [otherwise]
        self._the_list().show_rows(len(rows), lambda index, _: Content(rows[index]))
        self.add_class("-offering")

    def _the_list(self) -> RowList:
        if self._list is None:
            from hexcore_tui.widgets.shared.row_list import RowList

            self._list = RowList()
            self._list.can_focus = False
            self.mount(self._list)
        return self._list

    def _take(self, index: int) -> None:
        offer, kind = self._offers[index], self._prompt.offers
        self._close()
        if kind == "cards":
            self._prompt.complete_name(offer)
        else:
            self._prompt.put(offer)

    def _close(self, kind: str = "") -> None:
        """Close the list, or leave it where it offers something else than `kind`."""
        if kind and self._prompt.offers not in ("", kind):
            return
        self._prompt.offers = ""
        self._offers = []
        self.remove_class("-offering")
