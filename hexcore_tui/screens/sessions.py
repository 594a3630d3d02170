"""Conversations on disk: go on with one, rename it, delete it (and bring it back), export it."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from hexcore_engine.protocol import requests
from hexcore_engine.protocol.records import SessionRecord
from hexcore_engine.utils.validation import clean_line, clean_text
from hexcore_tui import messages
from hexcore_tui.actions import bindings_of
from hexcore_tui.host import host
from hexcore_tui.widgets.shared.key_bar import KeyBar
from hexcore_tui.widgets.shared.title_bar import TitleBar


class SessionsScreen(Screen[None]):
    """Asks the engine, which owns the conversations; shows what it says."""

    BINDINGS = bindings_of("sessions")
    CSS = """
    SessionsScreen {
        & OptionList {
            height: 1fr;
            border: none;
            padding: 0;
            background: $background;
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }
        & Input { display: none; }
        & Input.-renaming { display: block; }
        & #words { height: auto; padding: 0 1; color: $text-muted; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._sessions: tuple[SessionRecord, ...] = ()
        self._list = OptionList(markup=False)
        self._words = Static("", id="words")
        self._title_field = Input(placeholder="New title")
        self._deleted: str | None = None

    def compose(self) -> ComposeResult:
        """List above, one line of words and the keys below."""
        yield TitleBar("sessions")
        yield self._list
        yield self._title_field
        yield self._words
        yield KeyBar("sessions", "everywhere")

    def on_screen_resume(self) -> None:
        """Read the list anew each time the screen is visited."""
        self._list.focus()
        self._say("")
        self.reload()

    def on_sessions_arrived(self, message: messages.SessionsArrived) -> None:
        """Show the list, keeping the place in it."""
        place = self._list.highlighted or 0
        self._sessions = message.event.sessions
        self._list.set_options(Option(session_line(session)) for session in self._sessions)
        if self._sessions:
            self._list.highlighted = min(place, len(self._sessions) - 1)
        if not self._sessions and not self._deleted:
            self._say("No conversation is stored yet. F2 asks a question.")

    def on_session_altered(self, message: messages.SessionAltered) -> None:
        """Read the list again after a change."""
        self.reload()

    def on_session_text_arrived(self, message: messages.SessionTextArrived) -> None:
        """Write the export into the folder the app was started in."""
        file = Path.cwd() / f"hexcore-{clean_line(message.event.session_id)}.md"
        try:
            file.write_text(clean_text(message.event.text), "utf-8")
        except OSError as error:
            self._say(f"{file} could not be written: {error.strerror}.")
        else:
            self._say(f"Written to {file}")

    def on_request_refused(self, message: messages.RequestRefused) -> None:
        """Say what failed; the list stays."""
        self._say(f"{message.error.message} {message.error.remedy}")

    def on_option_list_option_selected(self) -> None:
        """Enter on a line goes on with that conversation."""
        self.action_open_session()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Rename."""
        session = self._current()
        title = clean_line(message.value)
        self._end_renaming()
        if session and title:
            self._ask(requests.RenameSession(session_id=session.session_id, title=title))

    def action_open_session(self) -> None:
        """Go on with the conversation in the chat."""
        session = self._current()
        if session:
            app = host(self)
            app.chat.open_session(session.session_id)
            app.action_go("chat")

    def action_rename_session(self) -> None:
        """Open the field for another title."""
        session = self._current()
        if session:
            self._title_field.value = clean_line(session.title)
            self._title_field.add_class("-renaming")
            self._title_field.focus()

    def action_delete_session(self) -> None:
        """Delete; `undo_delete` brings it back."""
        session = self._current()
        if session:
            self._deleted = session.session_id
            self._ask(requests.DeleteSession(session_id=session.session_id))
            host(self).chat.forget_session(session.session_id)
            self._say(f"Deleted “{clean_line(session.title)}”; u brings it back.")

    def action_undo_delete(self) -> None:
        """Bring the last deleted conversation back."""
        if self._deleted:
            self._ask(requests.DeleteSession(session_id=self._deleted, undo=True))
            self._deleted = None
            self._say("Brought back.")

    def action_export_session(self) -> None:
        """Write the conversation as Markdown."""
        session = self._current()
        if session:
            self._ask(requests.ExportSession(session_id=session.session_id))

    def action_leave(self) -> None:
        """Leave the title field, else go back to the chat."""
        if self._title_field.has_class("-renaming"):
            self._end_renaming()
        else:
            host(self).action_go("chat")

    def reload(self) -> None:
        """Read the list again."""
        self._ask(requests.ListSessions())

    def _current(self) -> SessionRecord | None:
        place = self._list.highlighted
        return self._sessions[place] if place is not None and place < len(self._sessions) else None

    def _end_renaming(self) -> None:
        self._title_field.remove_class("-renaming")
        self._list.focus()

    def _ask(self, request: requests.Request) -> None:
        host(self).bridge.request(self, request)

    def _say(self, words: str) -> None:
        self._words.update(Content(words))


def session_line(session: SessionRecord) -> Content:
    """Return one conversation as a line: when, what, how long."""
    turns = f"{session.num_turns} turn{'s' * (session.num_turns != 1)}"
    running = "answering now  " if session.running else ""
    date = clean_line(session.updated_at)[:16].replace("T", " ")
    return Content.assemble(
        (f"{date}  {turns:<8}  ", "$text-muted"), (running, "$warning"), clean_line(session.title)
    )
