"""The field one types a look-up into; arrows move through the list below without leaving it."""

from __future__ import annotations

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.widgets import Input

from hexcore_engine.utils.validation import clean_line
from hexcore_tui.actions import bindings_of, is_help_mark
from hexcore_tui.textual_gaps import act_now

# Longer pastes are cut: no name, number or phrase is that long.
MAX_LENGTH = 300


class QueryInput(Input):
    """One line of search; posts `Moved` for the keys that belong to the list."""

    BINDINGS = bindings_of("field")
    DEFAULT_CSS = """
    QueryInput { border: round $border-blurred; height: 3; background: $background; }
    QueryInput > .input--placeholder { color: $text-muted; }
    QueryInput:focus { border: round $border; background: $background; }
    """

    # Textual 8.2 lays the whole screen out anew with each letter else; the field's own size is fixed.
    virtual_size = Reactive(Size(0, 0), layout=False)

    class Moved(Message):
        """A key was pressed that moves through the list; `key` is one of up, down, pageup, pagedown."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class CursorMoved(Message):
        """The cursor stands elsewhere in the words."""

    def __init__(self, placeholder: str, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(placeholder=placeholder, id=id, max_length=MAX_LENGTH)

    async def on_key(self, event: events.Key) -> None:
        """In the empty field `?` shows the keys of this place; it begins nothing one could look for."""
        if not self.value and is_help_mark(event.key):
            event.stop()
            event.prevent_default()
            self.call_later(self.run_action, "app.help_here")
        elif await act_now(self, event):
            event.stop()
            event.prevent_default()

    def watch_selection(self) -> None:
        """Tell where the cursor is."""
        self.post_message(self.CursorMoved())

    def on_paste(self, event: events.Paste) -> None:
        """Take the pasted text as one clean line."""
        event.stop()
        event.prevent_default()
        self.insert_text_at_cursor(clean_line(event.text)[:MAX_LENGTH])

    def action_move(self, key: str) -> None:
        """Pass the key on."""
        self.post_message(self.Moved(key))

    @property
    def words(self) -> str:
        """What is looked for, as one clean line."""
        return clean_line(self.value)
