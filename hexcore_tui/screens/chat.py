"""The chat: questions below, the conversation above, and the rule or card being read beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.dom import DOMNode
from textual.scroll_view import ScrollView
from textual.widget import Widget

from hexcore_engine.protocol.records import MODE_NAMES, ModeName
from hexcore_tui import messages
from hexcore_tui.actions import bindings_of
from hexcore_tui.host import host
from hexcore_tui.screens.conversation import ConversationScreen
from hexcore_tui.widgets.chat.prompt_area import PromptArea
from hexcore_tui.widgets.chat.prompt_commands import ModeChange, NewSession, read_command
from hexcore_tui.widgets.chat.welcome import welcome_content
from hexcore_tui.widgets.shared.key_bar import KeyBar
from hexcore_tui.widgets.shared.title_bar import TitleBar

if TYPE_CHECKING:
    from hexcore_tui.widgets.chat.side_pane import SidePane

MODES_IN_TURN: tuple[ModeName | None, ...] = (None, *MODE_NAMES)


class ChatScreen(ConversationScreen):
    """Asks, follows and stops; what an answer looks like is its turn's own business.

    With `-reading` a pane is open. Where it can't stand beside the conversation (`-narrow`), `-in-pane`
    decides which of the two is shown: the one with the focus.
    """

    BINDINGS = bindings_of("chat")
    CSS = """
    ChatScreen {
        & #body { height: 1fr; }
        & #conversation { width: 1fr; }
        &.-narrow SidePane { width: 100%; border-left: none; }
        & SidePane { display: none; }
        &.-reading SidePane { display: block; }
        &.-narrow.-reading SidePane { display: none; }
        &.-narrow.-reading.-in-pane SidePane { display: block; }
        &.-narrow.-reading.-in-pane #conversation { display: none; }
    }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-wide")]  # noqa: RUF012 - Textual's own type

    def __init__(self) -> None:
        super().__init__()
        self._reading_from: Widget | None = None

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
        self._prompt.submit = self._submit
        self._prompt.leave = self.action_focus_next
        self._prompt.enter_answer = self._enter_answer
        self._prompt.focus()
        self.show_missing(host(self).missing)

    def on_screen_resume(self) -> None:
        """See what set-up may have brought since."""
        host(self).look_again()

    def watch_focused(self, focused: Widget | None) -> None:
        """In a narrow window what has the focus is shown, in the same step, so that none hidden keeps it."""
        if focused is not None:
            self.set_class(any(node.has_class("side-pane") for node in focused.ancestors), "-in-pane")

    def on_descendant_focus(self) -> None:
        """Say what the keys do there."""
        self.say_keys()

    def on_transcript_marked(self) -> None:
        """Another turn may offer other keys."""
        self.say_keys()

    def on_question_typed(self, message: messages.QuestionTyped) -> None:
        """Let the engine look ahead, so that Enter finds its passages ready."""
        self._status.notice = ""
        if read_command(message.question) is None:
            host(self).bridge.prepare(message.question)

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
        came_from = self._reading_from
        # Answers can be gone meanwhile, and an empty conversation takes no focus.
        back = came_from if came_from and came_from.is_attached and came_from.focusable else self._prompt
        self.set_focus(back)

    def action_focus_next(self) -> None:
        """From the question field, Tab enters the newest turn or an open pane; elsewhere it goes on."""
        pane = self._hidden_pane()
        if pane is not None and self.focused is self._prompt:
            pane.take_focus()
        elif self.focused is self._prompt and self._transcript.turns and not self.has_class("-reading"):
            self._transcript.enter(first=True)
        else:
            self.focus_next()

    def action_focus_prompt(self) -> None:
        """Back to typing."""
        self.set_focus(self._prompt)

    def action_leave(self) -> None:
        """Esc with no answer running: close the pane, else go back to typing."""
        if self.has_class("-reading"):
            self.on_side_pane_closed()
            return
        if self._edited and self.focused is self._prompt:
            self._leave_editing()
            self._prompt.put("")
        self.set_focus(self._prompt)

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

    def show_beside(
        self, wish: messages.RuleRequested | messages.CardRequested | messages.TextRequested
    ) -> None:
        """Open a page beside the chat."""
        from hexcore_tui.widgets.chat.side_pane import page_of

        pane = self._opened_pane()
        pane.call_later(pane.open, page_of(wish))

    def action_look_up(self) -> None:
        """Search beside the chat; the question being written stays where it is."""
        pane = self._opened_pane()
        pane.call_later(pane.action_search)

    def _submit(self, question: str) -> None:
        """Carry out a command, or ask."""
        command = read_command(question)
        if isinstance(command, NewSession):
            self._prompt.put("")
            self.action_new_session()
        elif isinstance(command, ModeChange):
            self._change_mode(command)
        elif self.busy_words:
            self._status.notice = f"{self.busy_words} Your question stays here."
        elif self._edited:
            self._ask_anew(self._edited, question)
        else:
            self._ask(question)

    def _enter_answer(self) -> None:
        """From the empty question field up into the newest answer."""
        self._transcript.enter(first=False)

    def _hidden_pane(self) -> SidePane | None:
        """The open pane, where the conversation is shown in its place."""
        from hexcore_tui.widgets.chat.side_pane import SidePane

        if not (self.has_class("-reading") and self.has_class("-narrow")) or self.has_class("-in-pane"):
            return None
        return next(iter(self.query(SidePane)), None)

    def _opened_pane(self) -> SidePane:
        from hexcore_tui.widgets.chat.side_pane import SidePane

        if not self.has_class("-reading"):
            self._reading_from = self.focused
        pane = next(iter(self.query(SidePane)), None)
        if pane is None:
            pane = SidePane()
            self.query_one("#body").mount(pane)
        self.add_class("-reading")
        return pane

    def add_words(self, words: str) -> None:
        """Add `words` to the question being written, and go on typing there."""
        typed = self._prompt.text.rstrip()
        self._prompt.put(f"{typed} {words}" if typed else words)
        self.set_focus(self._prompt)

    def show_missing(self, lines: tuple[str, ...]) -> None:
        """Say what is not there yet, and the command that gets it."""
        self._transcript.welcome(welcome_content(lines))

    def _focus_path(self) -> list[DOMNode]:
        return list(self.focused.ancestors) if self.focused else []

    def _change_mode(self, command: ModeChange) -> None:
        if command.problem:
            self._status.notice = command.problem
        else:
            self._prompt.pinned_mode = command.mode
            self._prompt.put(command.rest)
