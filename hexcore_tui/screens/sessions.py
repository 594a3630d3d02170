"""Conversations on disk: find one by what was said, go on with it, rename it, delete it (and bring it back),
export it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from hexcore_engine.protocol import requests
from hexcore_engine.protocol.records import SessionHit
from hexcore_engine.utils.validation import clean_line, clean_text
from hexcore_tui import messages
from hexcore_tui.actions import bindings_of, first_key
from hexcore_tui.host import host
from hexcore_tui.widgets.sessions.session_list import SessionList
from hexcore_tui.widgets.shared.delay import Delay
from hexcore_tui.widgets.shared.key_bar import KeyBar
from hexcore_tui.widgets.shared.query_input import QueryInput
from hexcore_tui.widgets.shared.row_list import RowList
from hexcore_tui.widgets.shared.title_bar import TitleBar

SUFFIXES = {"markdown": "md", "json": "json"}
LIST_ACTIONS = ("rename_session", "export_session", "delete_session", "undo_delete")


class SessionsScreen(Screen[None]):
    """Asks the engine, which owns the conversations; shows what it says."""

    BINDINGS = bindings_of("sessions")
    CSS = """
    SessionsScreen {
        & #title { display: none; }
        & #title.-renaming { display: block; }
        & #words { height: auto; padding: 0 1; color: $text-muted; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._query = QueryInput('Find by any word that was said, or "words in this order"')
        self._list = SessionList(id="sessions")
        self._words = Static("", id="words")
        self._title_field = Input(placeholder="New title", id="title")
        self._typing = Delay(self)
        self._listed_words: str | None = None
        self._waiting: tuple[str, Callable[[SessionHit], None]] | None = None
        self._renamed_id = ""

    def compose(self) -> ComposeResult:
        """Field and list above, one line of words and the keys below."""
        yield TitleBar("sessions")
        yield self._query
        yield self._list
        yield self._title_field
        yield self._words
        yield KeyBar("sessions", "everywhere")

    def on_screen_suspend(self) -> None:
        """Whoever went elsewhere waits for nothing here."""
        self._waiting = None

    def on_screen_resume(self) -> None:
        """Search at once; the list is read anew each time the screen is visited."""
        if self.focused is None:
            self.set_focus(self._query)
        self._say("")
        self.reload()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look for what is typed so far."""
        event.stop()
        if event.input is self._query:
            self._say("")
            self._typing.call(self.reload)

    def on_query_input_moved(self, event: QueryInput.Moved) -> None:
        """Move through the list while the field keeps the focus."""
        if event.key in ("up", "down"):
            self._list.action_move(-1 if event.key == "up" else 1)
        else:
            self._list.action_move_page(-1 if event.key == "pageup" else 1)

    def on_sessions_arrived(self, message: messages.SessionsArrived) -> None:
        """Show all, keeping the place in the list."""
        if self._query.words:
            return
        sessions = message.event.sessions
        self._show_hits(tuple(SessionHit(session, "") for session in sessions))
        if not sessions and not self._words.content:
            ask = first_key("go_chat", "everywhere")
            self._say(f"No conversation is stored yet. {ask} asks a question.")

    def on_session_hits_arrived(self, message: messages.SessionHitsArrived) -> None:
        """Show where the words were said."""
        if message.event.words != self._query.words:
            return
        num_found = len(message.event.hits)
        self._say(f"{num_found} found" if num_found else "Nothing was said with these words.")
        self._show_hits(message.event.hits)

    def on_session_altered(self, message: messages.SessionAltered) -> None:
        """Read the list again after a change."""
        if message.event.change == "restored":
            self._say("Brought back.")
        self.reload()

    def on_session_text_arrived(self, message: messages.SessionTextArrived) -> None:
        """Write the export into the folder the app was started in."""
        name = f"hexcore-{clean_line(message.event.session_id)}.{SUFFIXES[message.event.format]}"
        file = Path.cwd() / name
        try:
            file.write_text(clean_text(message.event.text), "utf-8")
        except OSError as error:
            self._say(f"{file} could not be written: {error.strerror}.")
        else:
            self._say(f"Saved to {file}")

    def on_request_refused(self, message: messages.RequestRefused) -> None:
        """Say what failed; the list stays."""
        message.stop()
        self._waiting = None
        self._say(f"{message.error.message} {message.error.remedy}")

    def on_row_list_selected(self, event: RowList.Selected) -> None:
        """A row that was chosen by looking at it is meant, whatever is being looked for."""
        event.stop()
        if self._list.marked:
            self._open(self._list.marked)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """In the search, open the marked conversation; in the title, rename it."""
        event.stop()
        if event.input is self._query:
            self.action_open_session()
            return
        title = clean_line(event.value)
        self._end_renaming()
        if title:
            self._ask(requests.RenameSession(session_id=self._renamed_id, title=title))

    def action_focus_query(self) -> None:
        """Go to the search."""
        self.set_focus(self._query)

    def action_open_session(self) -> None:
        """Go on with the conversation in the chat."""
        self._do_with_marked(self._open)

    def action_rename_session(self) -> None:
        """Open the field for another title."""
        self._do_with_marked(self._rename)

    def action_delete_session(self) -> None:
        """Delete; `undo_delete` brings it back."""
        self._do_with_marked(self._delete)

    def action_undo_delete(self) -> None:
        """Bring the conversation deleted last back; once more, the one before."""
        self._ask(requests.DeleteSession(session_id="last", undo=True))

    def action_export_session(self, form: str) -> None:
        """Write the conversation as "markdown" or "json"."""
        self._do_with_marked(
            lambda hit: self._ask(requests.ExportSession(session_id=hit.session.session_id, format=form))
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a title is written its field has all keys."""
        if action in LIST_ACTIONS:
            return not self._title_field.has_class("-renaming")
        return super().check_action(action, parameters)

    def action_leave(self) -> None:
        """Leave the title, else empty the search, else go back to the chat."""
        if self._title_field.has_class("-renaming"):
            self._end_renaming()
        elif self._query.value:
            self._query.value = ""
            self.set_focus(self._query)
        else:
            host(self).action_go("chat")

    def reload(self) -> None:
        """Read the list again, or what the search finds."""
        words = self._query.words
        self._ask(requests.SearchSessions(words) if words else requests.ListSessions())

    def _show_hits(self, hits: tuple[SessionHit, ...]) -> None:
        words = self._query.words
        self._list.show_hits(hits, anew=words != self._listed_words)
        self._listed_words = words
        waiting, self._waiting = self._waiting, None
        if waiting and waiting[0] == words and self._list.marked:
            waiting[1](self._list.marked)

    def _do_with_marked(self, verb: Callable[[SessionHit], None]) -> None:
        """Do something with the marked row, once the rows are those of the words that stand in the field."""
        if self._query.words != self._listed_words:
            self._waiting = self._query.words, verb
            self._typing.call(self.reload)
        elif self._list.marked:
            verb(self._list.marked)

    def _open(self, hit: SessionHit) -> None:
        app = host(self)
        app.chat.open_session(hit.session.session_id)
        app.action_go("chat")

    def _rename(self, hit: SessionHit) -> None:
        self._renamed_id = hit.session.session_id
        self._title_field.value = clean_line(hit.session.title)
        self._title_field.add_class("-renaming")
        self.set_focus(self._title_field)

    def _delete(self, hit: SessionHit) -> None:
        self._ask(requests.DeleteSession(session_id=hit.session.session_id))
        host(self).chat.forget_session(hit.session.session_id)
        undo = first_key("undo_delete", "sessions")
        self._say(f"Deleted “{clean_line(hit.session.title)}”; {undo} brings it back, for a week.")

    def _end_renaming(self) -> None:
        self._title_field.remove_class("-renaming")
        self.set_focus(self._query)

    def _ask(self, request: requests.Request) -> None:
        host(self).bridge.request(self, request)

    def _say(self, words: str) -> None:
        self._words.update(Content(words))
