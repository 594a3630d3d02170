"""The app: what its screens share, and how it starts and ends."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.dom import DOMNode
from textual.events import DescendantFocus, Event, Key
from textual.reactive import reactive
from textual.screen import Screen
from textual.theme import Theme
from textual.widgets import Input, TextArea

from hexcore_engine.errors import HexcoreError
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.records import ModelRecord
from hexcore_engine.protocol.requests import ListModels, RunSetup, UpdateData
from hexcore_engine.settings import Settings, load_settings, save_setting
from hexcore_engine.utils.validation import clean_line
from hexcore_tui import collector
from hexcore_tui.actions import Scope, bindings_of, use_keys
from hexcore_tui.bridge import EngineBridge
from hexcore_tui.display_profile import PROFILES, DisplayProfile
from hexcore_tui.facts import (
    AnswerCost,
    Facts,
    KnowledgeReport,
    configured_model,
    first_sight,
    is_first_run,
    missing_model,
    read_knowledge,
    remember_tour,
)
from hexcore_tui.messages import (
    EngineDisconnected,
    EngineRestarted,
    ModelsArrived,
    RequestRefused,
)
from hexcore_tui.navigation import NavigatingApp
from hexcore_tui.silence import silent_words
from hexcore_tui.textual_gaps import (
    FrugalStylesheet,
    add_bindings,
    bear_no_room,
    hear_escape_soon,
    on_hangup,
    outlive_terminal,
    quieten_scrollbars,
    type_late,
    write_crash_file,
)
from hexcore_tui.themes import ThemeShelf

if TYPE_CHECKING:
    from hexcore_tui.widgets.chat.turn_feed import TurnFeed

# How long a look-up thread may keep the interpreter while the screen waits for it; Python's 5 ms, taken a few
# times in one look-up, are more than a frame.
THREAD_TURN_S = 0.001
# How long the first frame stands before anything else is begun: what is typed at once comes first.
FIRST_LOOK_S = 0.05
# How soon a changed theme of the user's is seen.
THEME_LOOK_S = 1.0
# Whoever types at once is not kept waiting by the tour.
TOUR_DELAY_S = 0.5
# How many answers' figures are kept.
MOST_COSTS = 200


class HexcoreApp(NavigatingApp):
    """Chat, cards, rules, memory, sessions and settings over one connection to the engine."""

    TITLE = "Hexcore"
    CSS = """
    Screen { layers: base cover; }
    Screen.-short QueryInput, Screen.-short QueryInput:focus { height: 1; border: none; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (24, "-tall")]  # noqa: RUF012 - Textual's own type
    BINDINGS = bindings_of("everywhere")
    ENABLE_COMMAND_PALETTE = True

    facts: reactive[Facts] = reactive(Facts(), init=False)

    def __init__(
        self,
        paths: Paths,
        settings: Settings,
        profile: DisplayProfile = PROFILES["local"],
        *,
        start_engine: bool = True,
        tour: bool = False,
    ) -> None:
        """With `tour` a newcomer is shown around."""
        super().__init__()
        bear_no_room()
        hear_escape_soon()
        outlive_terminal()
        quieten_scrollbars()
        self.paths = paths
        self.settings = settings
        self.profile = profile
        self.bridge = EngineBridge(self, paths, settings, start=start_engine)
        self.crash_file: Path | None = None
        self.costs: deque[AnswerCost] = deque(maxlen=MOST_COSTS)
        self._pauses = collector.Pauses()
        self._wants_tour = tour
        self._missing: dict[str, tuple[str, ...]] = {"themes": (), "model": ()}
        self._missing["knowledge"] = first_sight(paths.knowledge_dir)
        self._shelf = ThemeShelf(self, paths.themes_dir)
        self._missing["themes"] = self._shelf.use(settings.screen.theme)
        self.stylesheet = FrugalStylesheet(variables=self.get_css_variables())
        self._use_keys()

    @property
    def knowledge_folder(self) -> Path:
        """Where the knowledge files are, for `Knowledge(folder)`."""
        return self.paths.knowledge_dir

    @property
    def missing(self) -> tuple[str, ...]:
        """A line for each thing that is not there or can't be used."""
        return tuple(line for lines in self._missing.values() for line in lines)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every action of the registry."""
        from hexcore_tui.palette import commands

        return commands(screen)

    def on_mount(self) -> None:
        """Look around once the first frame stands."""
        on_hangup(self.exit)
        self.theme_changed_signal.subscribe(self, self._keep_theme)
        self.call_after_refresh(self.set_timer, FIRST_LOOK_S, self._look_around)

    async def on_unmount(self) -> None:
        """Hang up; the engine stays."""
        self._pauses.close()
        await self.bridge.close()

    def on_app_focus(self) -> None:
        """Whoever comes back to this terminal may have run set-up in another."""
        self.look_again()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """A cursor blinks only where that costs nothing."""
        if not self.profile.animate and isinstance(event.widget, Input | TextArea):
            event.widget.cursor_blink = False

    async def on_event(self, event: Event) -> None:
        """Let no search for garbage come between a key and its answer."""
        if isinstance(event, Key):
            self._pauses.key_came()
        await super().on_event(event)

    def on_key(self, event: Key) -> None:
        """A letter typed just before its field got the focus belongs to the field."""
        if type_late(self.focused, event):
            event.prevent_default()

    def on_engine_connected(self) -> None:
        """Ask which model will answer."""
        self.chat.problem = ""
        self.bridge.request(self, ListModels())
        self.chat.fetch_history()

    def on_engine_disconnected(self, message: EngineDisconnected) -> None:
        """Say what happened; the next question starts the engine anew."""
        self.chat.problem = f"{message.error.message} {message.error.remedy}"

    def on_engine_fell_silent(self) -> None:
        """Say so wherever one is; what was asked is waited for all the same."""
        self.chat.alarm = silent_words()
        if self.current_mode != "chat":
            self.notify(silent_words(), severity="warning", markup=False)

    def on_engine_spoke(self) -> None:
        """It answers again."""
        self.chat.alarm = ""

    def on_engine_restarted(self, message: EngineRestarted) -> None:
        """Say how the restart went."""
        self.chat.alarm = ""
        if message.error is None:
            self.notify("The engine was started anew.", markup=False)
        else:
            self.chat.problem = f"{message.error.message} {message.error.remedy}"

    def on_models_arrived(self, message: ModelsArrived) -> None:
        """Show the model in the top line, or say that there is none."""
        self.model_seen(configured_model(message.event))
        self._missing["model"] = missing_model(message.event)
        self._say_missing()

    def on_turn_feed_finished(self, message: TurnFeed.Finished) -> None:
        """Remember what the answer cost; the list of conversations, when one looks at it, has changed."""
        if message.usage is not None:
            self.costs.append(AnswerCost(message.turn.question, message.usage))
        if self.current_mode in ("sessions", "memory"):
            self.hand_over(self.current_mode, "reload")

    def on_request_refused(self, message: RequestRefused) -> None:
        """A request of the app's own failed."""
        self.chat.problem = f"{message.error.message} {message.error.remedy}"

    def read_settings(self) -> None:
        """Take what was changed in the settings file.

        Raises:
            SettingsError: when the file can't be read.
        """
        self.settings = load_settings(self.paths.settings_file)
        if self.settings.screen.theme in self.available_themes:
            self.theme = self.settings.screen.theme

    def model_seen(self, model: ModelRecord | None) -> None:
        """Another model answers now."""
        self.facts = replace(self.facts, model=model)

    def look_again(self) -> None:
        """See what set-up may have brought since; does nothing before the first look around."""
        if self.bridge.connected:
            self.look_at_knowledge()
            self.bridge.request(self, ListModels())

    def look_at_knowledge(self) -> None:
        """Read the knowledge files' dates again, e.g. after an import."""
        self.run_worker(
            self._read_knowledge, thread=True, exclusive=True, group="knowledge", exit_on_error=False
        )

    def _look_around(self) -> None:
        collector.resume()
        sys.setswitchinterval(THREAD_TURN_S)
        self.look_at_knowledge()
        self.set_interval(THEME_LOOK_S, self._look_at_themes)
        # Asked before the engine makes the file of conversations.
        self._wants_tour &= is_first_run(self.paths.tour_file, self.paths.sessions_file)
        if self._wants_tour:
            self.set_timer(TOUR_DELAY_S, self._show_around)
        self.bridge.connect()

    def _show_around(self) -> None:
        if self._wants_tour:
            from hexcore_tui.widgets.chat.tour import Tour

            remember_tour(self.paths.tour_file)
            self.chat.query_one("#body").mount(Tour())

    def on_text_area_changed(self) -> None:
        """Whoever types needs no tour."""
        if self._wants_tour:
            self._wants_tour = False
            self.chat.query("Tour").remove()

    def _read_knowledge(self) -> None:
        report = read_knowledge(self.knowledge_folder)
        self.call_from_thread(self._knowledge_read, report)

    def _knowledge_read(self, report: KnowledgeReport) -> None:
        self.facts = replace(report.facts, model=self.facts.model)
        self._missing["knowledge"] = report.missing
        self._say_missing()

    def _say_missing(self) -> None:
        self.chat.show_missing(self.missing)

    def _look_at_themes(self) -> None:
        problems = self._shelf.look_again()
        if problems is not None:
            self._missing["themes"] = problems
            self._say_missing()
            for problem in problems:
                self.notify(clean_line(problem), severity="warning", markup=False)

    def _use_keys(self) -> None:
        self.use_motion(self)
        if not self.settings.keys:
            use_keys({})
            return
        from hexcore_tui.rebinding import plan_keys

        plan = plan_keys(self.settings.keys)
        use_keys(plan.keys)
        self.set_keymap(plan.keymap)
        self._missing["keys"] = plan.problems

    def _keep_theme(self, theme: Theme) -> None:
        if theme.name == self.settings.screen.theme:
            return
        try:
            save_setting(self.paths.settings_file, "screen", "theme", theme.name)
        except HexcoreError as error:
            self.chat.problem = f"{error.message} {error.remedy}"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc is the stop key only while an answer runs and no other window lies on top."""
        if action == "stop_answer":
            return self.bridge.answering and len(self.screen_stack) == 1
        return super().check_action(action, parameters)

    def action_help(self) -> None:
        """Show every key; where that stands already, go back."""
        self._show_help(())

    def action_help_here(self) -> None:
        """Show the keys that work where the focus is."""
        from hexcore_tui.screens.help import scopes_here

        self._show_help(scopes_here(self.screen))

    def _show_help(self, here: tuple[Scope, ...]) -> None:
        from hexcore_tui.screens.help import HelpScreen

        shown = self.screen
        if isinstance(shown, HelpScreen):
            self.pop_screen()
        if not isinstance(shown, HelpScreen) or shown.here != here:
            self.push_screen(HelpScreen(here))

    def copy_to_clipboard(self, text: str) -> None:
        """Copy what was selected; it can be saved like any other copy, and what became of it is said."""
        from hexcore_tui.clipboard import copy

        # What is too long for the terminal can still be pasted here.
        self._clipboard = text
        self.notify(copy(self, text), markup=False)

    def action_save_copy(self) -> None:
        """Save what was copied last into the folder the app was started in."""
        from hexcore_tui.clipboard import save_copy

        self.notify(clean_line(save_copy(Path.cwd(), datetime.now())), markup=False)

    def use_motion(self, node: DOMNode) -> None:
        """Let letters move in `node` where the settings want it; the app's own keys end at a modal screen."""
        if self.settings.screen.motion == "vim":
            add_bindings(node, bindings_of("motion"))

    def action_press(self, key: str) -> None:
        """Do what another key does: motion by letters."""
        self.simulate_key(key)

    def action_run_setup(self) -> None:
        """Fetch and build what is still missing."""
        self._change_data(RunSetup())

    def action_restart_engine(self) -> None:
        """End the engine and start it anew."""
        self.chat.alarm = "Restarting the engine …"
        self.bridge.restart()

    def action_import_data(self) -> None:
        """Read a file whose name is asked for."""
        self._change_data(None)

    def action_update_data(self) -> None:
        """Look for newer rules and cards."""
        self._change_data(UpdateData())

    def _change_data(self, request: RunSetup | UpdateData | None) -> None:
        from hexcore_tui.screens.data import change_data

        change_data(self.chat, request)

    def action_stop_answer(self) -> None:
        """Stop the running answer, whatever is on the screen."""
        self.chat.stop_answer()

    def _fatal_error(self) -> None:
        # Textual's own would print local variables; see textual_gaps.
        if self._exception is not None:
            self.crash_file = write_crash_file(self._exception, self.paths.log_dir)
        self._close_messages_no_wait()


def run_app(paths: Paths, settings: Settings, profile: DisplayProfile, first_question: str = "") -> int:
    """Open the app on this terminal, `first_question` in the question field, and return its exit code."""
    app = HexcoreApp(paths, settings, profile, tour=not first_question)
    if first_question:
        app.call_later(app.ask_about, first_question)
    app.run()
    if app.return_code:
        place = f"Where it happened, without any of your words, is in {app.crash_file}"
        sys.stderr.write(
            "Hexcore met a defect of its own and had to close; the engine keeps your conversation.\n"
            f"{place if app.crash_file else 'A report could not be written.'}\n"
        )
    return 4 if app.return_code else 0
