"""The question field: Enter asks, pastes of any size are taken, up and down bring earlier questions back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import TextArea

from hexcore_engine.protocol.records import ModeName
from hexcore_engine.utils.validation import clean_text
from hexcore_tui.actions import actions_of, bindings_of, is_help_mark, is_key_of, key_text
from hexcore_tui.messages import QuestionTyped
from hexcore_tui.textual_gaps import act_now, hand_on
from hexcore_tui.widgets.chat.folded_pastes import FoldedPastes

# The keys named in the frame, by where the focus is.
Focus = Literal["typing", "answer", "cut short", "reading"]
HINTS: dict[Focus, tuple[str, ...]] = {
    "typing": ("submit", "focus_next", "look_up", "next_mode", "new_session"),
    # The way out stands where a narrow frame still shows it.
    "answer": ("open", "leave", "unfold", "wish('copy')", "wish('retry')", "wish('edit')"),
    "cut short": ("open", "leave", "wish('continue')", "wish('retry')", "wish('edit')", "wish('copy')"),
    "reading": ("leave", "focus_prompt"),
}

PLACEHOLDER = "Ask a rules question, e.g. Does trample still count if the blocker is gone?"
# Where a line has no room for the example.
SHORT_PLACEHOLDER = "Ask a rules question"

# A pause this long while typing is worth a retrieval.
PAUSE_S = 0.2
SHORTEST_PREPARED = 6
# A name begun with two brackets and not ended before the cursor.
_OPEN_NAME = re.compile(r"\[\[([^\[\]\n]{0,60})$")
_CHOICE_KEYS = frozenset({"up", "down", "tab", "enter", "escape"})


class PromptInput(TextArea):
    """A field that grows with its text up to eight lines."""

    BINDINGS = bindings_of("prompt")
    DEFAULT_CSS = """
    PromptInput {
        height: auto;
        min-height: 3;
        max-height: 10;
        border: round $border-blurred;
        border-title-color: $text-muted;
        border-subtitle-color: $text-muted;
        padding: 0 1;
        background: $background;
        &:focus { border: round $border; }
        & .text-area--placeholder { color: $text-muted; }
    }
    """
    pinned_mode: reactive[ModeName | None] = reactive(None)
    # Whether there is an answer that Up from the empty field goes to.
    leads_up = False

    editing: reactive[bool] = reactive(False)

    class NameBegun(Message):
        """The name of a card is being written behind two brackets; None once it is not any more."""

        def __init__(self, name: str | None) -> None:
            super().__init__()
            self.name = name

    def __init__(self) -> None:
        super().__init__(
            soft_wrap=True,
            highlight_cursor_line=False,
            placeholder=PLACEHOLDER,
        )
        self._history: list[str] = []
        self._pastes = FoldedPastes()
        self._names_card = False
        self.offers: Literal["", "cards", "history"] = ""
        # Called at once, not by a message: the keys typed next must find done what these do.
        self.submit: Callable[[str], None] = lambda _question: None
        self.choose: Callable[[str], None] = lambda _key: None
        self.leave: Callable[[], None] = lambda: None
        self.enter_answer: Callable[[], None] = lambda: None
        self.offer_history: Callable[[str], None] = lambda _words: None
        self._place: int | None = None
        self._draft = ""
        # What Enter was pressed on: a pause after that is not one in typing, and what was said to it stays.
        self._submitted = ""
        self._pause: Timer | None = None

    def on_mount(self) -> None:
        """Say in the frame which mode is pinned and which keys do what."""
        self.hint("typing")
        self.watch_pinned_mode()

    def watch_pinned_mode(self) -> None:
        """Show the mode in the frame."""
        self._say_title()

    def watch_editing(self) -> None:
        """Say that an earlier question is being changed."""
        self._say_title()

    def on_text_area_changed(self) -> None:
        """Offer what fits the words; once the typing pauses, let the engine look ahead."""
        self._offer()
        if self._pause:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_S, self._paused)

    async def on_key(self, event: events.Key) -> None:
        """Enter, or the key in its place, asks instead of starting a line. Not a priority binding: that would
        overtake the keys typed before it. Where the list below offers something, it gets the keys to choose
        by. In the empty field `?` shows the keys. Tab leaves at once, for the same reason; what was typed
        behind it goes where the focus is by then."""
        if await self._carry_out(event):
            event.stop()
            event.prevent_default()

    async def on_paste(self, event: events.Paste) -> None:
        """Take the text without what a terminal would obey; a long one is folded to a word."""
        event.stop()
        event.prevent_default()
        result = self.replace(self._pastes.fold(clean_text(event.text)), *self.selection)
        self.move_cursor(result.end_location)

    def action_submit(self) -> None:
        """Ask."""
        question = self._submitted = self.question
        if question:
            self.submit(question)

    def action_search_history(self) -> None:
        """Look for earlier questions by the words typed."""
        self.offer_history(self.question)

    def action_insert_line(self) -> None:
        """Start a new line."""
        result = self.replace("\n", *self.selection)
        self.move_cursor(result.end_location)

    def action_older(self) -> None:
        """Move up, or bring back an earlier question from the first line; from an empty field go to the
        answer."""
        if not self.text and self.leads_up:
            self.enter_answer()
        elif self.cursor_at_first_line and self._history:
            place = len(self._history) if self._place is None else self._place
            if self._place is None:
                self._draft = self.text
            self._recall(max(0, place - 1))
        else:
            self.action_cursor_up()

    def action_newer(self) -> None:
        """Move down, or go on to a later question from the last line."""
        if self.cursor_at_last_line and self._place is not None:
            self._recall(self._place + 1)
        else:
            self.action_cursor_down()

    def remember(self, question: str) -> None:
        """Add a question to what up and down bring back."""
        if not self._history or self._history[-1] != question:
            self._history.append(question)
        self._place = None

    def remember_all(self, questions: tuple[str, ...]) -> None:
        """Take the questions of earlier conversations, newest first; those of this one stay the newest."""
        asked = dict.fromkeys([*reversed(questions), *self._history])
        self._history = list(asked)

    def earlier(self, words: str) -> list[str]:
        """Return the earlier questions that hold all of `words`, newest first."""
        wanted = words.casefold().split()
        return [
            question for question in reversed(self._history) if all(w in question.casefold() for w in wanted)
        ]

    def complete_name(self, name: str) -> None:
        """Put a card's whole name behind the brackets before the cursor."""
        found = _OPEN_NAME.search(self._before_cursor())
        if found:
            row, column = self.cursor_location
            result = self.replace(f"[[{name}]] ", (row, column - len(found[0])), (row, column))
            self.move_cursor(result.end_location)

    @property
    def begun_name(self) -> str | None:
        """What stands behind two brackets that are still open before the cursor; None where none are."""
        found = _OPEN_NAME.search(self._before_cursor())
        return found[1] if found else None

    @property
    def question(self) -> str:
        """The question as it will be asked, folded pastes included."""
        return clean_text(self._pastes.unfold(self.text)).strip()

    def on_resize(self, event: events.Resize) -> None:
        """An example cut in its middle helps nobody."""
        room = event.size.width - self.gutter.width
        self.placeholder = PLACEHOLDER if room > len(PLACEHOLDER) else SHORT_PLACEHOLDER

    def hint(self, focus: Focus) -> None:
        """Say in the frame which keys do what, by where the focus is."""
        self.border_subtitle = _hint(HINTS[focus])

    def put(self, text: str) -> None:
        """Show `text` with the cursor at its end."""
        self.text = self._pastes.fold(text)
        self.move_cursor(self.document.end)

    async def _carry_out(self, event: events.Key) -> bool:
        """Do at once what a key does here; say whether it is more than a letter or a key for others."""
        focused = self.screen.focused
        if focused is not None and focused is not self:
            hand_on(focused, event)
        elif self._is_choosing and event.key in _CHOICE_KEYS:
            self.choose(event.key)
        elif is_key_of(event.key, "prompt.submit"):
            self.action_submit()
        elif is_key_of(event.key, "chat.focus_next"):
            self.leave()
        elif not self.text and is_help_mark(event.key):
            self.call_later(self.run_action, "app.help_here")
        else:
            return await act_now(self, event)
        return True

    @property
    def _is_choosing(self) -> bool:
        """Whether the list offers what fits; names stay in it for a moment after the last bracket."""
        return self.offers == "history" or (self.offers == "cards" and self.begun_name is not None)

    def _say_title(self) -> None:
        change = "Change the question" if self.editing else "Question"
        self.border_title = f"{change} · mode {self.pinned_mode or 'auto'}"

    def _before_cursor(self) -> str:
        row, column = self.cursor_location
        return self.document.get_line(row)[:column]

    def _offer(self) -> None:
        name = self.begun_name
        if name is not None or self._names_card:
            self._names_card = name is not None
            self.post_message(self.NameBegun(name))
        elif self.offers == "history":
            self.offer_history(self.question)

    def _recall(self, place: int) -> None:
        if place >= len(self._history):
            self._place = None
            self.put(self._draft)
        else:
            self._place = place
            self.put(self._history[place])

    def _paused(self) -> None:
        question = self.question
        if len(question) >= SHORTEST_PREPARED and question != self._submitted:
            self.post_message(QuestionTyped(question))


def _hint(names: tuple[str, ...]) -> str:
    known = {action.name: action for action in actions_of("everywhere", "chat", "prompt", "answer")}
    wanted = [known[name] for name in names]
    return " · ".join(f"{key_text(action.key.split(',')[0])} {action.label}" for action in wanted)
