"""Asking, following, stopping and asking anew, in one conversation."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual import work
from textual.screen import Screen

from hexcore_engine.errors import HexcoreError
from hexcore_engine.protocol import requests
from hexcore_engine.protocol.events import SessionOpened
from hexcore_engine.protocol.progress import progress_words
from hexcore_engine.utils.validation import clean_line
from hexcore_tui import messages
from hexcore_tui.actions import first_key
from hexcore_tui.host import host
from hexcore_tui.widgets.chat.prompt_input import PromptInput
from hexcore_tui.widgets.chat.status_line import StatusLine
from hexcore_tui.widgets.chat.transcript import Transcript
from hexcore_tui.widgets.chat.welcome import welcome_content

if TYPE_CHECKING:
    from hexcore_tui.widgets.chat.pieces import Spot
    from hexcore_tui.widgets.chat.turn import Turn
    from hexcore_tui.widgets.chat.turn_feed import TurnFeed

GO_ON = "Go on with the answer from where it stopped."
# A greedy answer would come out the same again.
RETRY_TEMPERATURE = 0.7


def kept_line_words() -> str:
    """Return where the line before a question asked anew is found."""
    return f"The line before stays in a conversation of its own: {first_key('go_sessions', 'everywhere')}."


def stop_words() -> str:
    """Return how an answer is stopped."""
    return f"{first_key('stop_answer', 'everywhere')} stops"


@dataclass(frozen=True)
class WaitingQuestion:
    """What is asked once the branch it belongs to is here."""

    question: str
    anew: bool
    keeps_line: bool


class ConversationScreen(Screen[None]):
    """Holds transcript, question field and status line, and what the engine is asked for them."""

    def __init__(self) -> None:
        super().__init__()
        self._session_id: str | None = None
        self._feed: TurnFeed | None = None
        self._edited: Turn | None = None
        self._next: WaitingQuestion | None = None
        # The request for the conversation to be shown next.
        self._opening: asyncio.Task[None] | None = None
        self._transcript = Transcript(welcome_content(()))
        self._prompt = PromptInput()
        self._status = StatusLine()

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
        self._status.basis = turn.standing
        self.say_keys()
        if message.in_vain and not self._prompt.text:
            self._prompt.put(turn.question)

    def on_evidence_found(self) -> None:
        """The rules are there to be read; a model may have to be loaded first."""
        self._status.doing = f"The model gets ready … {stop_words()}"

    def on_model_progressed(self, message: messages.ModelProgressed) -> None:
        """A model that takes its time says how far it is."""
        event = message.event
        progress = progress_words(event.share, event.elapsed_s)
        self._status.doing = f"The model loads: {clean_line(event.stage)} … {progress} · {stop_words()}"

    def on_answer_planned(self, message: messages.AnswerPlanned) -> None:
        """The model that answers is known now, and reads what was found."""
        host(self).model_seen(message.event.model)
        self._status.doing = f"The model reads what was found … {stop_words()}"

    def on_answer_text_arrived(self) -> None:
        """The first piece is here; from now on the text itself shows that it goes on."""
        self._status.doing = f"Answering … {stop_words()}"

    def on_session_arrived(self, message: messages.SessionArrived) -> None:
        """A stored conversation was opened for going on with it, or a branch of this one was begun."""
        waiting = self._next
        self._show_session(message.event)
        if waiting and not self._feed:
            self._ask(waiting.question, anew=waiting.anew)
            if waiting.keeps_line:
                self._status.notice = kept_line_words()

    def on_questions_arrived(self, message: messages.QuestionsArrived) -> None:
        """Up and the search bring the questions of all conversations back."""
        self._prompt.remember_all(message.event.questions)

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
        elif turn not in self._transcript.turns:
            # Another conversation came between the key and its message.
            return
        elif self.busy_words:
            self._status.notice = self.busy_words
        elif message.what == "retry":
            self._ask_anew(turn, turn.question, anew=True)
        elif message.what == "edit":
            self._edit(turn)
        else:
            self._go_on(turn)

    def on_request_refused(self, message: messages.RequestRefused) -> None:
        """Something asked beside the questions failed; a question waiting for it comes back."""
        if self._next and not self._prompt.text:
            self._prompt.put(self._next.question)
        self._next = None
        self.problem = f"{message.error.message} {message.error.remedy}"

    def action_new_session(self) -> None:
        """Start a new conversation; a running answer is finished in its own."""
        self._let_go()
        self._session_id = None
        self._status.usage = None
        self._status.basis = ""
        self._transcript.clear()
        self._prompt.leads_up = False
        self.set_focus(self._prompt)

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

    def open_session(self, session_id: str) -> None:
        """Go on with a stored conversation."""
        self._open(requests.OpenSession(session_id=session_id))

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
    def busy_words(self) -> str:
        """Why nothing can be asked now; empty when it can."""
        if self._feed:
            return f"An answer is still being written. {stop_words()} it."
        return "The question before is about to be asked. Try again in a moment." if self._next else ""

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

    @property
    def alarm(self) -> str:
        """What is wrong with the engine now; stands before all else in the status line."""
        return self._status.alarm

    @alarm.setter
    def alarm(self, words: str) -> None:
        self._status.alarm = words

    def say_keys(self) -> None:
        """Say in the prompt's frame what the keys do where the focus is."""
        turn = self._transcript.current if self.focused is self._transcript else None
        if self.focused is self._prompt:
            self._prompt.hint("typing")
        elif turn:
            self._prompt.hint("cut short" if turn.can_go_on else "answer")
        else:
            self._prompt.hint("reading")

    def _ask(self, question: str, *, anew: bool = False, continues: Turn | None = None) -> None:
        """Ask, with words drawn freely when `anew`; what was typed meanwhile stays."""
        if not continues:
            self._prompt.remember(question)
        self._take_from_prompt(question)
        self._leave_editing()
        self._status.notice = self._status.basis = ""
        self._status.doing = f"Looking up … {stop_words()}"
        self._start_feed(question)
        mode = continues.choice.mode if continues and continues.choice else self._prompt.pinned_mode
        assert self._feed is not None  # noqa: S101 - started above
        host(self).bridge.ask(
            self._feed,
            question,
            session_id=self._session_id,
            mode=mode,
            seed=time.time_ns() % 2**31 if anew else None,
            temperature=RETRY_TEMPERATURE if anew else None,
            continues=continues.turn_id if continues else None,
        )

    def _take_from_prompt(self, question: str) -> None:
        """Empty the field of what is asked now; what is typed behind it begins another question."""
        if self._prompt.question == question:
            self._prompt.put("")

    def _open(self, request: requests.OpenSession | requests.BranchSession) -> None:
        """Ask for a conversation to show, and for none before it any more."""
        self._open_nothing()
        self._opening = host(self).bridge.request(self, request)

    def _open_nothing(self) -> None:
        self._next = None
        if self._opening:
            self._opening.cancel()
        self._opening = None

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
            if turn.text:
                self._status.notice = kept_line_words()
        elif turn.session_id and turn.turn_id:
            self._open(requests.BranchSession(session_id=turn.session_id, before_turn_id=turn.turn_id))
            self._next = WaitingQuestion(question, anew, keeps_line=bool(turn.text))
            self._prompt.remember(question)
            self._take_from_prompt(question)
        else:
            # It was never stored, so there is nothing to keep.
            self._ask(question, anew=anew)

    def _edit(self, turn: Turn) -> None:
        self._edited = turn
        self._prompt.editing = True
        self._prompt.put(turn.question)
        self.set_focus(self._prompt)

    def _leave_editing(self) -> None:
        self._edited = None
        self._prompt.editing = False

    def _go_on(self, turn: Turn) -> None:
        if turn.can_go_on and turn is self._transcript.turns[-1]:
            self._ask(GO_ON, continues=turn)
            self.set_focus(self._prompt)
        else:
            self._status.notice = "Only the newest answer, stopped or cut at its length, can be gone on with."

    @work(group="copy", exclusive=True, exit_on_error=False)
    async def _copy(self, turn: Turn, spot: Spot | None) -> None:
        from hexcore_tui.clipboard import copy
        from hexcore_tui.widgets.chat.copying import text_to_copy
        from hexcore_tui.widgets.shared.knowledge_thread import knowledge_thread

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
        self._open_nothing()
        host(self).bridge.let_go()
        if self._feed:
            self._feed.remove()
        self._feed = None
        self._status.doing = ""
        self._leave_editing()

    def _show_session(self, opened: SessionOpened) -> None:
        self._let_go()
        self._session_id = opened.session.session_id
        self._status.usage = opened.turns[-1].usage if opened.turns else None
        running = opened.running_question_id if opened.turns else None
        stored = opened.turns[:-1] if running else opened.turns
        num_turns = opened.session.num_turns - bool(running)
        self._transcript.show_stored(stored, opened.session, num_turns, host(self).facts.model)
        self._prompt.leads_up = bool(stored)
        self._status.basis = self._transcript.turns[-1].standing if stored else ""
        if running:
            # Following replays the answer from its start, so what is stored of it is not shown.
            self._start_feed(opened.turns[-1].question)
            assert self._feed is not None  # noqa: S101 - started above
            host(self).bridge.follow(self._feed, running)
        self.set_focus(self._prompt)
