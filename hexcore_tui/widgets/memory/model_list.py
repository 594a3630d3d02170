"""The models at hand, to load and unload."""

from __future__ import annotations

from textual.content import Content
from textual.message import Message

from hexcore_engine.protocol.events import ModelsListed
from hexcore_engine.protocol.records import ModelRecord
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.facts import size_text
from hexcore_tui.widgets.shared.row_list import RowList

EMPTY = "No model is here yet. Get the small one: hexcore setup"


class ModelList(RowList):
    """One row a model: whether it is in memory or the configured one, its size, and why it can't be used."""

    DEFAULT_CSS = """
    ModelList { height: 6; border-top: solid $panel; border-title-color: $text-muted; }
    """

    class LoadRequested(Message):
        """The user wants this model in memory."""

        def __init__(self, model: ModelRecord) -> None:
            super().__init__()
            self.model = model

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Models"
        self._listed = ModelsListed((), "", None)

    def on_row_list_selected(self, event: RowList.Selected) -> None:
        """Load the chosen model."""
        event.stop()
        self.request_load()

    @property
    def marked(self) -> ModelRecord | None:
        """The marked model."""
        if self.highlighted is None or not self._listed.models:
            return None
        return self._listed.models[self.highlighted]

    def request_load(self) -> None:
        """Ask for the marked model to be loaded."""
        if self.marked is not None:
            self.post_message(self.LoadRequested(self.marked))

    def show_models(self, listed: ModelsListed) -> None:
        """Replace the rows; the mark stays where it was."""
        place = min(self.highlighted or 0, max(0, len(listed.models) - 1))
        self._listed = listed
        note = clean_line(listed.note)
        self.border_title = Content(f"Models · {note}" if note else "Models")
        self.show_rows(max(1, len(listed.models)), self._draw_model, place)

    def _draw_model(self, index: int, _width: int) -> Content:
        if not self._listed.models:
            return Content(f" {EMPTY}").stylize("$warning")
        model = self._listed.models[index]
        return Content.assemble(
            f" {_is(model, self._listed.loaded, '●')}{_is(model, self._listed.configured, '*')} ",
            (clean_line(model.name), "bold" if model.available else "$text-muted"),
            (f"  {_details(model, self._listed)}", "$text-muted"),
        )


def _is(model: ModelRecord, wanted: str | None, mark: str) -> str:
    return mark if wanted and wanted in (model.name, model.location) else " "


def _details(model: ModelRecord, listed: ModelsListed) -> str:
    words = [model.decoder, clean_line(model.quantization or "")]
    words.append(size_text(model.weights_bytes) if model.weights_bytes else "")
    words.append("in memory" if _is(model, listed.loaded, "x") == "x" else "")
    words.append("configured" if _is(model, listed.configured, "x") == "x" else "")
    words.append("" if model.available else "not available")
    words.append(clean_line(model.note))
    return ", ".join(word for word in words if word)
