"""The chat: questions below, the conversation above, and the rule or card being read beside it."""

from __future__ import annotations

import secrets
from functools import partial

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.dom import DOMNode
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.widget import Widget

from hexcore_engine.errors import HexcoreError
from hexcore_engine.protocol import requests
from hexcore_engine.protocol.events import SessionOpened
from hexcore_engine.protocol.records import MODE_NAMES, ModeName
from hexcore_tui import messages
from hexcore_tui.actions import bindings_of
from hexcore_tui.host import host
from hexcore_tui.widgets.chat.pieces import Spot
from hexcore_tui.widgets.chat.prompt_area import PromptArea
from hexcore_tui.widgets.chat.prompt_commands import ModeChange, NewSession, read_command
from hexcore_tui.widgets.chat.prompt_input import PromptInput
from hexcore_tui.widgets.chat.status_line import StatusLine
from hexcore_tui.widgets.chat.transcript import Transcript
from hexcore_tui.widgets.chat.turn import Turn, basis_words
from hexcore_tui.widgets.chat.turn_feed import TurnFeed
from hexcore_tui.widgets.chat.welcome import welcome_content
from hexcore_tui.widgets.shared.key_bar import KeyBar
from hexcore_tui.widgets.shared.knowledge_thread import knowledge_thread
from hexcore_tui.widgets.shared.title_bar import TitleBar

MODES_IN_TURN: tuple[ModeName | None, ...] = (None, *MODE_NAMES)
GO_ON = "Go on with the answer from where it stopped."
# A greedy answer would come out the same again.
RETRY_TEMPERATURE = 0.7
KEPT_LINE = "The line before stays in a conversation of its own: F6."


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
        self._feed: TurnFeed | None = None
        self._edited: Turn | None = None
        # What is asked once the branch it belongs to is here.
        self._next: tuple[str, bool] | None = None
        self._reading_from: Widget | None = None
        self._transcript = Transcript(welcome_content(()))
        self._prompt = PromptInput()
        self._status = StatusLine()

    def compose(self) -> ComposeResult:
        """The question field has the focus from the first frame on."""
        yield TitleBar("chat")
        with Horizontal(id="body"), Vertical(id="conversation"):
            yield self._transcript
            yield PromptArea(self._prompt)
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
        turn = self._transcript.current if self.focused is self._transcript else None
        if self.focused is self._prompt:
            self._prompt.hint("typing")
        elif turn:
            self._prompt.hint("cut short" if turn.can_go_on else "answer")
        else:
            self._prompt.hint("reading")

    def on_transcript_marked(self) -> None:
        """Another turn may offer other keys."""
        self.on_descendant_focus()

    def on_question_submitted(self, message: messages.QuestionSubmitted) -> None:
        """Carry out a command, or ask."""
        command = read_command(message.question)
        if isinstance(command, NewSession):
            self._prompt.put("")
            self.action_new_session()
        elif isinstance(command, ModeChange):
            self._change_mode(command)
        elif self._feed:
            self._status.notice = "An answer is still being written. Esc stops it; your question stays here."
        elif self._edited:
            self._ask_anew(self._edited, message.question)
        else:
            self._ask(message.question)

    def on_question_typed(self, message: messages.QuestionTyped) -> None:
        """Let the engine look ahead, so that Enter finds its passages ready."""
        self._status.notice = ""
        if read_command(message.question) is None:
            host(self).bridge.prepare(message.question)

    def on_turn_feed_finished(self, message: TurnFeed.Finished) -> None:
        """An answer ended: free the way for the next question."""
        turn = message.turn
        if self._feed is None or turn is not self._feed.turn:
            return
        self._feed.remove()
        self._feed = None
        self._session_id = turn.session_id or self._session_id
        self._status.doing = self._status.notice = ""
        self._status.usage = message.usage or self._status.usage
        self._status.basis = basis_words(turn)
        self.on_descendant_focus()
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
        """A stored conversation was opened for going on with it, or a branch of this one was begun."""
        self._show_session(message.event)
        if self._next and not self._feed:
            question, anew = self._next
            self._ask(question, anew=anew)
        self._next = None

    def on_questions_arrived(self, message: messages.QuestionsArrived) -> None:
        """Up and the search bring the questions of all conversations back."""
        self._prompt.remember_all(message.event.questions)

    def on_prompt_input_answer_wanted(self) -> None:
        """From the empty question field up into the newest answer."""
        self._transcript.enter(first=False)

    def on_more_evidence_requested(self) -> None:
        """Show the passages left out at first."""
        if self._transcript.current:
            self._transcript.show_all_evidence(self._transcript.current)

    def on_transcript_asked(self, message: Transcript.Asked) -> None:
        """Do with an answer what its key says."""
        turn = message.turn
        if message.what == "copy":
            self._copy(turn, message.spot)
        elif message.what == "search":
            self._search_for(turn, message.spot)
        elif self._feed:
            self._status.notice = "An answer is still being written. Esc stops it."
        elif message.what == "retry":
            self._ask_anew(turn, turn.question, anew=True)
        elif message.what == "edit":
            self._edit(turn)
        else:
            self._go_on(turn)

    def on_request_refused(self, message: messages.RequestRefused) -> None:
        """Something asked beside the questions failed; a question waiting for it comes back."""
        if self._next:
            self._prompt.put(self._next[0])
            self._next = None
        self.problem = f"{message.error.message} {message.error.remedy}"

    def action_focus_next(self) -> None:
        """From the question field, Tab enters the newest turn; elsewhere it goes on as usual."""
        if self.focused is self._prompt and self._transcript.turns and not self.has_class("-reading"):
            self._transcript.enter(first=True)
        else:
            self.focus_next()

    def action_focus_prompt(self) -> None:
        """Back to typing."""
        self._prompt.focus()

    def action_leave(self) -> None:
        """Esc with no answer running: close the pane, else go back to typing."""
        if self.has_class("-reading"):
            self.on_side_pane_closed()
            return
        if self._edited and self.focused is self._prompt:
            self._leave_editing()
            self._prompt.put("")
        self._prompt.focus()

    def action_page(self, direction: int) -> None:
        """Scroll what is being read: the pane when the focus is in it, else the conversation."""
        area = next(
            (node for node in self._focus_path() if isinstance(node, VerticalScroll | ScrollView)),
            self._transcript,
        )
        (area.scroll_page_down if direction > 0 else area.scroll_page_up)(animate=False)

    def action_next_mode(self) -> None:
        """Take the next mode in turn."""
        place = MODES_IN_TURN.index(self._prompt.pinned_mode)
        self._prompt.pinned_mode = MODES_IN_TURN[(place + 1) % len(MODES_IN_TURN)]

    def action_new_session(self) -> None:
        """Start a new conversation; a running answer is finished in its own."""
        self._let_go()
        self._session_id = None
        self._status.usage = None
        self._status.basis = ""
        self._transcript.clear()
        self._prompt.leads_up = False
        self._prompt.focus()

    def action_copy_answer(self) -> None:
        """Copy the last answer."""
        turns = [turn for turn in self._transcript.turns if turn.text]
        if turns:
            self._copy(turns[-1], None)
        else:
            self._status.notice = "There is no answer to copy."

    def stop_answer(self) -> None:
        """Stop the running answer and say so at once."""
        host(self).bridge.stop()
        if self._feed:
            self._feed.stopping()
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

    def fetch_history(self) -> None:
        """Ask for the questions of all conversations."""
        host(self).bridge.request(self, requests.ListQuestions())

    def forget_session(self, session_id: str) -> None:
        """A conversation was deleted: when it is the one shown here, start anew."""
        if session_id == self._session_id:
            self.action_new_session()

    @property
    def answering(self) -> bool:
        """Whether an answer is being written here."""
        return self._feed is not None

    @property
    def turns(self) -> list[Turn]:
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

    def _ask(self, question: str, *, anew: bool = False, continues: Turn | None = None) -> None:
        """Ask, with words drawn freely when `anew`; what was typed meanwhile stays."""
        if not continues:
            self._prompt.remember(question)
        if self._prompt.question == question:
            self._prompt.put("")
        self._leave_editing()
        self._status.notice = self._status.basis = ""
        self._status.doing = "Looking up … Esc stops"
        self._start_feed(question)
        mode = continues.choice.mode if continues and continues.choice else self._prompt.pinned_mode
        assert self._feed is not None  # noqa: S101 - started above
        host(self).bridge.ask(
            self._feed,
            question,
            session_id=self._session_id,
            mode=mode,
            seed=secrets.randbelow(2**31) if anew else None,
            temperature=RETRY_TEMPERATURE if anew else None,
            continues=continues.turn_id if continues else None,
        )

    def _start_feed(self, question: str) -> None:
        self._feed = self._transcript.add_turn(question)
        self._prompt.leads_up = True
        self.query_one("#conversation").mount(self._feed)

    def _ask_anew(self, turn: Turn, question: str, *, anew: bool = False) -> None:
        """Ask in place of `turn`: in a branch that ends before it, so that the line before is kept."""
        place = self._transcript.turns.index(turn)
        self._leave_editing()
        if place == 0:
            self.action_new_session()
            self._ask(question, anew=anew)
        elif turn.session_id and turn.turn_id:
            self._next = (question, anew)
            branch = requests.BranchSession(session_id=turn.session_id, before_turn_id=turn.turn_id)
            host(self).bridge.request(self, branch)
        else:
            # It was never stored, so there is nothing to keep.
            self._ask(question, anew=anew)
        if turn.text:
            self._status.notice = KEPT_LINE

    def _edit(self, turn: Turn) -> None:
        self._edited = turn
        self._prompt.editing = True
        self._prompt.put(turn.question)
        self._prompt.focus()

    def _leave_editing(self) -> None:
        self._edited = None
        self._prompt.editing = False

    def _go_on(self, turn: Turn) -> None:
        if turn.can_go_on and turn is self._transcript.turns[-1]:
            self._ask(GO_ON, continues=turn)
            self._prompt.focus()
        else:
            self._status.notice = "Only the newest answer, stopped or cut at its length, can be gone on with."

    @work(group="copy", exclusive=True, exit_on_error=False)
    async def _copy(self, turn: Turn, spot: Spot | None) -> None:
        from hexcore_tui.clipboard import copy
        from hexcore_tui.widgets.chat.copying import text_to_copy

        try:
            look_up = partial(text_to_copy, turn, spot)
            self._status.notice = copy(self.app, await knowledge_thread(self).call(look_up))
        except HexcoreError as error:
            self.problem = f"{error.message} {error.remedy}"

    def _search_for(self, turn: Turn, spot: Spot | None) -> None:
        selected = self.get_selected_text()
        if selected:
            host(self).search_for(selected, "rules")
        elif spot and spot.name:
            host(self).search_for(spot.name, "cards" if spot.kind == "card" else "rules")
        else:
            host(self).search_for(turn.question, "rules")

    def _let_go(self) -> None:
        """Leave a running answer to the engine."""
        host(self).bridge.let_go()
        if self._feed:
            self._feed.remove()
        self._feed = None
        self._status.doing = ""
        self._leave_editing()

    def _change_mode(self, command: ModeChange) -> None:
        if command.problem:
            self._status.notice = command.problem
        else:
            self._prompt.pinned_mode = command.mode
            self._prompt.put(command.rest)

    def _show_session(self, opened: SessionOpened) -> None:
        self._let_go()
        self._session_id = opened.session.session_id
        self._status.usage = opened.turns[-1].usage if opened.turns else None
        running = opened.running_question_id if opened.turns else None
        stored = opened.turns[:-1] if running else opened.turns
        self._transcript.show_stored(stored, self._session_id, host(self).facts.model)
        self._prompt.leads_up = bool(stored)
        self._status.basis = basis_words(self._transcript.turns[-1]) if stored else ""
        if running:
            # Following replays the answer from its start, so what is stored of it is not shown.
            self._start_feed(opened.turns[-1].question)
            assert self._feed is not None  # noqa: S101 - started above
            host(self).bridge.follow(self._feed, running)
        self._prompt.focus()
