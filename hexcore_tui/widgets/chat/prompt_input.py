"""The question field: Enter asks, pastes of any size are taken, up and down bring earlier questions back."""

from __future__ import annotations

from typing import Literal

from textual import events
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import TextArea

from hexcore_engine.protocol.records import ModeName
from hexcore_engine.utils.validation import clean_text
from hexcore_tui.actions import actions_of, bindings_of, key_text
from hexcore_tui.messages import QuestionSubmitted, QuestionTyped

# The keys named in the frame, by where the focus is.
Focus = Literal["typing", "links", "reading"]
HINTS: dict[Focus, tuple[str, ...]] = {
    "typing": ("submit", "focus_next", "next_mode", "new_session"),
    "links": ("select", "cursor_up", "cursor_down", "leave"),
    "reading": ("focus_prompt",),
}

# A pause this long while typing is worth a retrieval.
PAUSE_S = 0.2
SHORTEST_PREPARED = 6


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

    def __init__(self) -> None:
        super().__init__(
            soft_wrap=True,
            highlight_cursor_line=False,
            placeholder="Ask a rules question, e.g. Does trample still count if the blocker is gone?",
        )
        self._history: list[str] = []
        self._place: int | None = None
        self._draft = ""
        self._pause: Timer | None = None

    def on_mount(self) -> None:
        """Say in the frame which mode is pinned and which keys do what."""
        self.hint("typing")
        self.watch_pinned_mode()

    def watch_pinned_mode(self) -> None:
        """Show the mode in the frame."""
        self.border_title = f"Question · mode {self.pinned_mode or 'auto'}"

    def on_text_area_changed(self) -> None:
        """Once the typing pauses, let the engine look ahead."""
        if self._pause:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_S, self._paused)

    def on_key(self, event: events.Key) -> None:
        """Enter asks instead of starting a line. Not a priority binding: that would overtake the keys typed
        before it."""
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self.action_submit()

    async def on_paste(self, event: events.Paste) -> None:
        """Take the text without what a terminal would obey."""
        event.stop()
        event.prevent_default()
        result = self.replace(clean_text(event.text), *self.selection)
        self.move_cursor(result.end_location)

    def action_submit(self) -> None:
        """Ask."""
        question = clean_text(self.text).strip()
        if question:
            self.post_message(QuestionSubmitted(question))

    def action_insert_line(self) -> None:
        """Start a new line."""
        result = self.replace("\n", *self.selection)
        self.move_cursor(result.end_location)

    def action_older(self) -> None:
        """Move up, or bring back an earlier question from the first line."""
        if self.cursor_at_first_line and self._history:
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

    def hint(self, focus: Focus) -> None:
        """Say in the frame which keys do what, by where the focus is."""
        self.border_subtitle = _hint(HINTS[focus])

    def put(self, text: str) -> None:
        """Show `text` with the cursor at its end."""
        self.text = text
        self.move_cursor(self.document.end)

    def _recall(self, place: int) -> None:
        if place >= len(self._history):
            self._place = None
            self.put(self._draft)
        else:
            self._place = place
            self.put(self._history[place])

    def _paused(self) -> None:
        question = clean_text(self.text).strip()
        if len(question) >= SHORTEST_PREPARED:
            self.post_message(QuestionTyped(question))


def _hint(names: tuple[str, ...]) -> str:
    known = {action.name: action for action in actions_of("everywhere", "chat", "prompt", "links")}
    wanted = [known[name] for name in names]
    return " · ".join(f"{key_text(action.key.split(',')[0])} {action.label}" for action in wanted)
