"""Settings: drawn from their own types and descriptions, checked when changed, kept in the user's file."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from hexcore_engine.errors import HexcoreError
from hexcore_engine.protocol.requests import StopEngine
from hexcore_engine.settings import NEW_ENGINE, forget_setting, save_setting
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.actions import bindings_of, first_key
from hexcore_tui.host import host
from hexcore_tui.messages import RequestRefused
from hexcore_tui.widgets.settings.setting_list import SettingList, SettingRow, setting_rows, typed_value
from hexcore_tui.widgets.shared.key_bar import KeyBar
from hexcore_tui.widgets.shared.row_list import RowList
from hexcore_tui.widgets.shared.title_bar import TitleBar

MUTED = "$text-muted"


class SettingsScreen(Screen[None]):
    """Enter goes on to the next of a few words, or opens a field for any other value."""

    BINDINGS = bindings_of("settings")
    CSS = """
    SettingsScreen {
        & #about { height: auto; min-height: 4; padding: 0 1; border-top: solid $panel; }
        & Input { display: none; }
        & Input.-editing { display: block; }
        & #words { height: auto; min-height: 1; padding: 0 1; color: $text-muted; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._list = SettingList(id="settings")
        self._about = Static("", id="about")
        self._value = Input(id="value")
        self._words = Static("", id="words")
        self._edited: SettingRow | None = None

    def compose(self) -> ComposeResult:
        """The list above; what the marked one means, and what a change came to, below."""
        yield TitleBar("settings")
        yield self._list
        yield self._about
        yield self._value
        yield self._words
        yield KeyBar("settings", "everywhere")

    def on_screen_resume(self) -> None:
        """Read the file anew each time the screen is visited."""
        self.set_focus(self._list)
        self._say(f"Kept in {host(self).paths.settings_file}")
        self._read()

    def on_row_list_highlighted(self, event: RowList.Highlighted) -> None:
        """Say what the marked one means."""
        event.stop()
        row = self._list.marked
        self._about.update(about_content(row) if row else Content(""))

    def on_row_list_selected(self, event: RowList.Selected) -> None:
        """Change the chosen one."""
        event.stop()
        self.action_edit()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Save what was typed; what is wrong with it is said, and the field stays."""
        event.stop()
        row = self._edited
        if row and self._save(row, typed_value(row, clean_line(event.value))):
            self._end_editing()

    def on_request_refused(self, message: RequestRefused) -> None:
        """An engine that is not there need not leave."""
        message.stop()

    def action_edit(self) -> None:
        """Take the next of a few words, or open the field."""
        row = self._list.marked
        if row is None:
            return
        if row.field.choices:
            place = row.field.choices.index(str(row.value))
            self._save(row, row.field.choices[(place + 1) % len(row.field.choices)])
            return
        self._edited = row
        self._value.value = str(row.value)
        self._value.add_class("-editing")
        self.set_focus(self._value)

    def action_reset(self) -> None:
        """Take the default again."""
        row = self._list.marked
        if row:
            try:
                forget_setting(host(self).paths.settings_file, row.field.section, row.field.name)
            except HexcoreError as error:
                self._say(f"{error.message} {error.remedy}")
            else:
                self._saved(row)

    def action_restart_engine(self) -> None:
        """Let the engine leave; whatever is asked next starts a new one."""
        host(self).bridge.request(self, StopEngine())
        self._say("The engine leaves after its answer; the next question starts a new one.")

    def action_leave(self) -> None:
        """Leave the field, else go back to the chat."""
        if self._value.has_class("-editing"):
            self._end_editing()
        else:
            host(self).action_go("chat")

    def _save(self, row: SettingRow, value: str | int | float) -> bool:
        try:
            save_setting(host(self).paths.settings_file, row.field.section, row.field.name, value)
        except HexcoreError as error:
            self._say(f"{error.message} {error.remedy}")
            return False
        self._saved(row)
        return True

    def _saved(self, row: SettingRow) -> None:
        words = f"Saved; counts {row.field.effect}"
        if row.field.effect == NEW_ENGINE:
            words += f": {first_key('restart_engine', 'settings')} lets this one leave"
        if row.from_environment:
            words = f"Saved, but {row.field.variable} is set and counts more"
        self._say(f"{words}.")
        self._read()

    def _read(self) -> None:
        try:
            host(self).read_settings()
        except HexcoreError as error:
            self._say(f"{error.message} {error.remedy}")
        self._list.show_settings(setting_rows(host(self).settings))

    def _end_editing(self) -> None:
        self._value.remove_class("-editing")
        self.set_focus(self._list)

    def _say(self, words: str) -> None:
        self._words.update(Content(clean_line(words)))


def about_content(row: SettingRow) -> Content:
    """Return what a setting means, what may stand there, and from when on a change counts."""
    field = row.field
    default = field.default if field.default != "" else "empty"
    return Content.assemble(
        f"{field.description}\n",
        (f"{field.values}; default {default}; a change counts {field.effect}", MUTED),
    )
