"""The chat: questions below, the conversation above, and the rule or card being read beside it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from hexcore_engine.protocol import requests
from hexcore_engine.protocol.events import SessionOpened
from hexcore_engine.protocol.records import MODE_NAMES, ModeName
from hexcore_tui import messages
from hexcore_tui.actions import bindings_of
from hexcore_tui.host import host
from hexcore_tui.widgets.chat.links import LinkList
from hexcore_tui.widgets.chat.prompt_commands import ModeChange, NewSession, read_command
from hexcore_tui.widgets.chat.prompt_input import PromptInput
from hexcore_tui.widgets.chat.status_line import StatusLine
from hexcore_tui.widgets.chat.transcript import Transcript
from hexcore_tui.widgets.chat.turn_view import TurnView
from hexcore_tui.widgets.chat.welcome import welcome_content
from hexcore_tui.widgets.shared.key_bar import KeyBar
from hexcore_tui.widgets.shared.title_bar import TitleBar

MODES_IN_TURN: tuple[ModeName | None, ...] = (None, *MODE_NAMES)


class ChatScreen(Screen[None]):
    """Asks, follows and stops; what an answer looks like is its turn's own business."""

    BINDINGS = bindings_of("chat")
    CSS = """
    ChatScreen {
        & #body { height: 1fr; }
        & #conversation { width: 1fr; }
        &.-narrow SidePane { width: 100%; border-left: none; }
        &.-narrow.-reading #conversation { display: none; }
        & SidePane { display: none; }
        &.-reading SidePane { display: block; }
    }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-wide")]  # noqa: RUF012 - Textual's own type

    def __init__(self) -> None:
        super().__init__()
        self._session_id: str | None = None
        self._open_turn: TurnView | None = None
        self._reading_from: Widget | None = None
        self._transcript = Transcript(welcome_content(()))
        self._prompt = PromptInput()
        self._status = StatusLine()

    def compose(self) -> ComposeResult:
        """The question field has the focus from the first frame on."""
        yield TitleBar("chat")
        with Horizontal(id="body"), Vertical(id="conversation"):
            yield self._transcript
            yield self._prompt
            yield self._status
        yield KeyBar("everywhere", max_lines=1)

    def on_mount(self) -> None:
        """Type at once, and see what is not there yet."""
        self._prompt.focus()
        self.show_missing(host(self).missing)

    def on_screen_resume(self) -> None:
        """See what set-up may have brought since."""
        host(self).look_again()

    def on_descendant_focus(self) -> None:
        """Say in the prompt's frame what the keys do where the focus is."""
        on_links = isinstance(self.focused, LinkList)
        self._prompt.hint("typing" if self.focused is self._prompt else "links" if on_links else "reading")

    async def on_question_submitted(self, message: messages.QuestionSubmitted) -> None:
        """Carry out a command, or ask."""
        command = read_command(message.question)
        if isinstance(command, NewSession):
            self._prompt.put("")
            await self.action_new_session()
        elif isinstance(command, ModeChange):
            self._change_mode(command)
        elif self._open_turn:
            self._status.notice = "An answer is still being written. Esc stops it; your question stays here."
        else:
            self._ask(message.question)

    def on_question_typed(self, message: messages.QuestionTyped) -> None:
        """Let the engine look ahead, so that Enter finds its passages ready."""
        self._status.notice = ""
        if read_command(message.question) is None:
            host(self).bridge.prepare(message.question)

    def on_turn_view_finished(self, message: TurnView.Finished) -> None:
        """An answer ended: free the way for the next question."""
        turn = message.turn
        if turn is not self._open_turn:
            return
        self._open_turn = None
        self._session_id = turn.session_id or self._session_id
        self._status.doing = self._status.notice = ""
        self._status.usage = message.usage or self._status.usage
        if message.in_vain and not self._prompt.text:
            self._prompt.put(turn.question)

    def on_evidence_found(self) -> None:
        """The rules are there to be read; a model may have to be loaded first."""
        self._status.doing = "The model gets ready … Esc stops"

    def on_answer_planned(self, message: messages.AnswerPlanned) -> None:
        """The model that answers is known now, and reads what was found."""
        host(self).model_seen(message.event.model)
        self._status.doing = "The model reads what was found … Esc stops"

    def on_answer_text_arrived(self) -> None:
        """The first piece is here; from now on the text itself shows that it goes on."""
        self._status.doing = "Answering … Esc stops"

    def on_rule_requested(self, message: messages.RuleRequested) -> None:
        """Open a rule beside the chat."""
        self.show_beside(message)

    def on_card_requested(self, message: messages.CardRequested) -> None:
        """Open a card beside the chat."""
        self.show_beside(message)

    def on_text_requested(self, message: messages.TextRequested) -> None:
        """Open another passage beside the chat."""
        self.show_beside(message)

    def on_side_pane_closed(self) -> None:
        """Back to where the reader came from."""
        self.remove_class("-reading")
        (
            self._reading_from if self._reading_from and self._reading_from.is_attached else self._prompt
        ).focus()

    def on_session_arrived(self, message: messages.SessionArrived) -> None:
        """A stored conversation was opened for going on with it."""
        self.run_worker(self._show_session(message.event), exclusive=True, group="session")

    def on_request_refused(self, message: messages.RequestRefused) -> None:
        """Something asked beside the questions failed."""
        self.problem = f"{message.error.message} {message.error.remedy}"

    def action_focus_next(self) -> None:
        """From the question field, Tab enters the newest turn; elsewhere it goes on as usual."""
        newest = self._transcript.turns[-1].first_link if self._transcript.turns else None
        if self.focused is self._prompt and newest and not self.has_class("-reading"):
            newest.focus()
        else:
            self.focus_next()

    def action_focus_prompt(self) -> None:
        """Back to typing."""
        self._prompt.focus()

    def action_leave(self) -> None:
        """Esc with no answer running: close the pane, else go back to typing."""
        if self.has_class("-reading"):
            self.on_side_pane_closed()
        else:
            self._prompt.focus()

    def action_page(self, direction: int) -> None:
        """Scroll what is being read: the pane when the focus is in it, else the conversation."""
        area = next(
            (node for node in self._focus_path() if isinstance(node, VerticalScroll)), self._transcript
        )
        (area.scroll_page_down if direction > 0 else area.scroll_page_up)(animate=False)

    def action_next_mode(self) -> None:
        """Take the next mode in turn."""
        place = MODES_IN_TURN.index(self._prompt.pinned_mode)
        self._prompt.pinned_mode = MODES_IN_TURN[(place + 1) % len(MODES_IN_TURN)]

    async def action_new_session(self) -> None:
        """Start a new conversation; a running answer is finished in its own."""
        host(self).bridge.let_go()
        self._session_id = None
        self._open_turn = None
        self._status.doing = ""
        self._status.usage = None
        await self._transcript.clear()
        self._prompt.focus()

    def action_copy_answer(self) -> None:
        """Copy the last answer."""
        from hexcore_tui.clipboard import copy

        turns = [turn for turn in self._transcript.turns if turn.answer]
        self._status.notice = copy(self.app, turns[-1].as_text()) if turns else "There is no answer to copy."

    def stop_answer(self) -> None:
        """Stop the running answer and say so at once."""
        host(self).bridge.stop()
        if self._open_turn:
            self._open_turn.stopping()
            self._status.doing = "Stopping …"

    def show_beside(
        self, wish: messages.RuleRequested | messages.CardRequested | messages.TextRequested
    ) -> None:
        """Open a page beside the chat."""
        from hexcore_tui.widgets.chat.side_pane import SidePane, page_of

        if not self.has_class("-reading"):
            self._reading_from = self.focused
        pane = next(iter(self.query(SidePane)), None)
        if pane is None:
            pane = SidePane()
            self.query_one("#body").mount(pane)
        self.add_class("-reading")
        pane.call_later(pane.open, page_of(wish))

    def add_words(self, words: str) -> None:
        """Add `words` to the question being written, and go on typing there."""
        typed = self._prompt.text.rstrip()
        self._prompt.put(f"{typed} {words}" if typed else words)
        self._prompt.focus()

    def open_session(self, session_id: str) -> None:
        """Go on with a stored conversation."""
        host(self).bridge.request(self, requests.OpenSession(session_id=session_id))

    def forget_session(self, session_id: str) -> None:
        """A conversation was deleted: when it is the one shown here, start anew."""
        if session_id == self._session_id:
            self.call_later(self.action_new_session)

    @property
    def answering(self) -> bool:
        """Whether an answer is being written here."""
        return self._open_turn is not None

    @property
    def turns(self) -> list[TurnView]:
        """The turns on the screen, oldest first."""
        return self._transcript.turns

    @property
    def problem(self) -> str:
        """What the status line says is wrong; empty when nothing is."""
        return self._status.problem

    @problem.setter
    def problem(self, words: str) -> None:
        self._status.problem = words

    def show_missing(self, lines: tuple[str, ...]) -> None:
        """Say what is not there yet, and the command that gets it."""
        self._transcript.welcome(welcome_content(lines))

    def _focus_path(self) -> list[DOMNode]:
        return list(self.focused.ancestors) if self.focused else []

    def _ask(self, question: str) -> None:
        self._prompt.remember(question)
        self._prompt.put("")
        self._status.notice = ""
        self._status.doing = "Looking up … Esc stops"
        self._open_turn = self._transcript.add_turn(question, host(self).profile)
        host(self).bridge.ask(
            self._open_turn, question, session_id=self._session_id, mode=self._prompt.pinned_mode
        )

    def _change_mode(self, command: ModeChange) -> None:
        if command.problem:
            self._status.notice = command.problem
        else:
            self._prompt.pinned_mode = command.mode
            self._prompt.put(command.rest)

    async def _show_session(self, opened: SessionOpened) -> None:
        host(self).bridge.let_go()
        self._session_id = opened.session.session_id
        self._open_turn = None
        self._status.doing = ""
        self._status.usage = opened.turns[-1].usage if opened.turns else None
        profile = host(self).profile
        running = opened.running_question_id if opened.turns else None
        stored = opened.turns[:-1] if running else opened.turns
        await self._transcript.show_stored(stored, profile)
        if running:
            # Following replays the answer from its start, so what is stored of it is not shown.
            self._open_turn = self._transcript.add_turn(opened.turns[-1].question, profile)
            host(self).bridge.follow(self._open_turn, running)
        self._prompt.focus()
