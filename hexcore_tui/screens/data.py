"""Bringing rules and cards: a file of one's own, what the sources have, or all that set-up fetches."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.notifications import SeverityLevel
from textual.reactive import reactive
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Input, Static

from hexcore_engine.errors import UsageError
from hexcore_engine.paths import named_path
from hexcore_engine.protocol.requests import ImportData, RunSetup, UpdateData
from hexcore_engine.utils.validation import clean_text
from hexcore_tui import messages
from hexcore_tui.host import host
from hexcore_tui.widgets.shared.progress import Progress

EXPLANATION = (
    "The official rules as a text file, or a card file of Scryfall or MTGJSON. "
    "What is in use stays until the file is read to its end."
)
LEAVING = "Esc leaves; the work goes on."


class DataScreen(ModalScreen[None]):
    """Lies over the screen it was called from. Where nothing is wanted yet it asks for a file first."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back", show=False)]
    CSS = """
    DataScreen {
        align: center middle;
        & > Vertical {
            width: 76;
            max-width: 100%;
            height: auto;
            max-height: 90%;
            background: $surface;
            border: round $border;
            padding: 0 1;
        }
        & Static { height: auto; }
    }
    """

    def __init__(self, chat: Screen[None], wanted: RunSetup | UpdateData | DataWork | None) -> None:
        """`chat` lives as long as the app, and so does the work that hangs on it."""
        super().__init__()
        self._chat = chat
        self._wanted = wanted
        self._file = Input(placeholder="Path of the file")
        self._words = Static(Content("" if wanted else EXPLANATION))

    def compose(self) -> ComposeResult:
        """The field where a file is asked for, and what is said."""
        with Vertical() as box:
            box.border_title = "Import" if self._wanted is None else "Rules and cards"
            box.border_subtitle = "Esc back"
            if self._wanted is None:
                yield self._file
            yield self._words

    def on_mount(self) -> None:
        """Begin, where nothing has to be asked first."""
        if isinstance(self._wanted, DataWork):
            self._follow(self._wanted)
        elif self._wanted is not None:
            self._begin(self._wanted)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Import the file."""
        message.stop()
        named = typed_path(message.value)
        if not running_work(self._chat) and named:
            elsewhere = bool(host(self).settings.engine.command.strip())
            try:
                self._begin(import_request(named, elsewhere=elsewhere))
            except UsageError as error:
                self._say(f"{error.message} {error.remedy}")

    def _begin(self, request: RunSetup | ImportData | UpdateData) -> None:
        self._chat.query(DataWork).remove()
        work = DataWork(request)
        self._chat.mount(work)
        self._follow(work)

    def _follow(self, work: DataWork) -> None:
        self.watch(work, "words", self._say)

    def _say(self, words: str) -> None:
        self._words.update(Content(clean_text(words)))


class DataWork(Widget):
    """One change of the data, however long its window stays; it shows nothing itself. What comes of it is
    said in the window or, once that was left, over whatever screen one is on."""

    DEFAULT_CSS = "DataWork { display: none; }"

    words: reactive[str] = reactive(f"Beginning …\n{LEAVING}", layout=False)

    def __init__(self, request: RunSetup | ImportData | UpdateData) -> None:
        super().__init__()
        self.goes_on = True
        self._request = request
        self._progress = Progress()

    def on_mount(self) -> None:
        """Ask the engine for it."""
        host(self).bridge.request(self, self._request)

    def on_data_work_progressed(self, message: messages.DataWorkProgressed) -> None:
        """Say how far it is."""
        message.stop()
        event = message.event
        self.words = f"{event.text} …\n{self._progress.words(event.fraction)}\n{LEAVING}"

    def on_data_arrived(self, message: messages.DataArrived) -> None:
        """Say what came of it."""
        message.stop()
        self._end(message.event.text, "information")

    def on_request_refused(self, message: messages.RequestRefused) -> None:
        """Say what failed; what was in use is untouched."""
        message.stop()
        self._end(f"{message.error.message}\n{message.error.remedy}", "error")

    def _end(self, words: str, severity: SeverityLevel) -> None:
        self.goes_on = False
        self.words = words
        if not isinstance(self.app.screen, DataScreen):
            self.app.notify(clean_text(words), severity=severity, markup=False)
        host(self).look_again()


def running_work(chat: Screen[None]) -> DataWork | None:
    """Return the change of the data that is still going on."""
    return next((work for work in chat.query(DataWork) if work.goes_on), None)


def change_data(chat: Screen[None], request: RunSetup | UpdateData | None) -> None:
    """Open the window of a change of the data, or of the one that is still going on."""
    if not isinstance(chat.app.screen, DataScreen):
        chat.app.push_screen(DataScreen(chat, running_work(chat) or request))


def import_request(named: str, *, elsewhere: bool) -> ImportData:
    """Ask for a file by a path the engine understands: it has a working folder of its own. With `elsewhere`
    it runs on another machine, where the path is taken as it is.

    Raises:
        UsageError: when it is no path.
    """
    return ImportData(named if elsewhere else str(named_path(named).absolute()))


def typed_path(text: str) -> str:
    """Return a path as a person types it or a terminal pastes it: quotes around it and the backslashes before
    its spaces are not part of it."""
    path = text.strip().removeprefix("file://")
    if len(path) > 1 and path[0] == path[-1] and path[0] in "'\"":
        return path[1:-1]
    return path.replace("\\ ", " ")
