"""Memory: what each part of the model costs on each device, live; models to load and unload."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from hexcore_engine.protocol.progress import progress_words
from hexcore_engine.protocol.requests import ListModels, LoadModel, PlanModel, UnloadModel
from hexcore_engine.utils.validation import clean_line, clean_text
from hexcore_tui.actions import bindings_of
from hexcore_tui.host import host
from hexcore_tui.messages import (
    MemoryArrived,
    ModelArrived,
    ModelLeft,
    ModelPlanArrived,
    ModelProgressed,
    ModelsArrived,
    RequestRefused,
)
from hexcore_tui.widgets.memory.answer_facts import AnswerFacts
from hexcore_tui.widgets.memory.answer_log import AnswerLog
from hexcore_tui.widgets.memory.device_list import DeviceList, DeviceScroll
from hexcore_tui.widgets.memory.model_list import ModelList
from hexcore_tui.widgets.shared.delay import Delay
from hexcore_tui.widgets.shared.key_bar import KeyBar
from hexcore_tui.widgets.shared.row_list import RowList
from hexcore_tui.widgets.shared.title_bar import TitleBar


class MemoryScreen(Screen[None]):
    """Watches only while it is seen; it draws frozen snapshots and measures nothing itself."""

    BINDINGS = bindings_of("memory")
    AUTO_FOCUS = "ModelList"
    CSS = """
    MemoryScreen {
        & #body { height: 1fr; }
        & #plan { height: auto; padding: 0 1; color: $text-muted; }
        & #plan.-empty { display: none; }
        &.-narrow AnswerLog { display: none; }
        &.-narrow.-tall AnswerLog { display: block; height: 4; }
        &.-narrow ModelList { height: 4; }
        & #side { height: auto; }
        &.-wide #body { layout: horizontal; }
        &.-wide DeviceScroll { width: 3fr; }
        &.-wide #side { width: 2fr; height: 1fr; border-left: solid $panel; }
        &.-wide ModelList { height: 1fr; margin-top: 1; }
    }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - an instance's in Textual

    def __init__(self) -> None:
        super().__init__()
        self._devices = DeviceList()
        self._facts = AnswerFacts()
        self._models = ModelList()
        self._plan = Static("", id="plan", classes="-empty")
        self._answers = AnswerLog()
        self._marked = Delay(self)

    def compose(self) -> ComposeResult:
        """Devices, then the last answer and the models below or, on a wide screen, beside them."""
        yield TitleBar("memory")
        with Container(id="body"):
            with DeviceScroll():
                yield self._devices
            with Vertical(id="side"):
                yield self._facts
                yield self._models
                yield self._plan
                yield self._answers
        yield KeyBar("memory", "everywhere")

    def on_screen_resume(self) -> None:
        """Start to watch, and see which models there are."""
        if self.focused is None:
            self._models.focus()
        self.reload()
        self._look()

    def on_screen_suspend(self) -> None:
        """Nobody looks: stop measuring."""
        host(self).bridge.unwatch_memory(self)

    def on_memory_arrived(self, message: MemoryArrived) -> None:
        """Draw the newest snapshot."""
        message.stop()
        self._devices.problem = ""
        self._devices.snapshot = message.event.snapshot
        self._facts.snapshot = message.event.snapshot

    def on_row_list_highlighted(self, event: RowList.Highlighted) -> None:
        """Say what the marked model would take once the marking pauses."""
        event.stop()
        if event.rows is self._models:
            self._show_plan("")
            self._marked.call(self._plan_marked)

    def on_model_plan_arrived(self, message: ModelPlanArrived) -> None:
        """Show the arithmetic of the marked model."""
        message.stop()
        model = self._models.marked
        if model is not None and model.location == message.event.model:
            self._show_plan(message.event.text, "$warning" if message.event.fits is False else "")

    def on_models_arrived(self, message: ModelsArrived) -> None:
        """Draw the models."""
        message.stop()
        self._models.show_models(message.event)

    def on_model_progressed(self, message: ModelProgressed) -> None:
        """Say how far the loading is."""
        message.stop()
        event = message.event
        loading = f"Loading {clean_line(event.model)}: {clean_line(event.stage)}"
        progress = progress_words(event.share, event.elapsed_s)
        self._facts.progress = f"{loading} … {progress}"

    def on_model_arrived(self, message: ModelArrived) -> None:
        """A model is in memory."""
        message.stop()
        event = message.event
        self._facts.progress = f"Loaded {clean_line(event.model.name)} in {event.elapsed_s:.1f} s"
        host(self).model_seen(event.model)
        self._look()

    def on_model_left(self, message: ModelLeft) -> None:
        """The model's memory was given back."""
        message.stop()
        name = message.event.model
        self._facts.progress = f"Unloaded {clean_line(name)}" if name else "There was no model in memory"
        self._look()

    def on_request_refused(self, message: RequestRefused) -> None:
        """Say what failed; with the engine gone there is nothing to draw."""
        message.stop()
        words = f"{message.error.message} {message.error.remedy}"
        if message.engine_lost or self._devices.snapshot is None:
            self._devices.problem = words
        else:
            self._facts.progress = words

    def on_model_list_load_requested(self, message: ModelList.LoadRequested) -> None:
        """Load a model."""
        message.stop()
        self._facts.progress = f"Loading {clean_line(message.model.name)} …"
        host(self).bridge.request(self, LoadModel(model=message.model.location))

    def reload(self) -> None:
        """Show the answers so far."""
        self._answers.show_costs(host(self).costs)

    def action_load_model(self) -> None:
        """Load the marked model."""
        self._models.request_load()

    def action_unload_model(self) -> None:
        """Give the model's memory back."""
        host(self).bridge.request(self, UnloadModel())

    def action_refresh_models(self) -> None:
        """List the models again."""
        host(self).bridge.request(self, ListModels())

    def _look(self) -> None:
        """Measure at once, and from then on at the interval of the settings; not while nobody looks."""
        if not self.is_current:
            return
        app = host(self)
        interval_s = max(app.settings.screen.memory_interval_s, app.profile.memory_s)
        app.bridge.watch_memory(self, interval_s)
        self.action_refresh_models()

    def _plan_marked(self) -> None:
        model = self._models.marked
        if model is not None and model.available:
            host(self).bridge.request(self, PlanModel(model.location))

    def _show_plan(self, text: str, style: str = "") -> None:
        # Lines of their own where there is room for them.
        joined = "; ".join(text.splitlines())
        shown = clean_text(text) if self.has_class("-wide") else clean_line(joined)
        self._plan.update(Content(shown).stylize(style) if style else Content(shown))
        self._plan.set_class(not text, "-empty")
