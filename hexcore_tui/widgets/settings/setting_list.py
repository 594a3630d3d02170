"""All settings, a row each, by section."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from textual.content import Content

from hexcore_engine.settings import SettingField, Settings, setting_fields
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.widgets.shared.row_list import RowList

MUTED = "$text-muted"
NAME_WIDTH = 26
SECTION_WIDTH = 8


@dataclass(frozen=True)
class SettingRow:
    """A setting, its value now, and whether a variable of the environment decides it."""

    field: SettingField
    value: str | int | float
    from_environment: bool

    @property
    def is_default(self) -> bool:
        """Whether the value is the one without a file."""
        return self.value == self.field.default


class SettingList(RowList):
    """One row a setting: its section where it begins, its name and its value."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._rows: tuple[SettingRow, ...] = ()

    @property
    def marked(self) -> SettingRow | None:
        """The marked row."""
        return None if self.highlighted is None else self._rows[self.highlighted]

    def show_settings(self, rows: tuple[SettingRow, ...]) -> None:
        """Replace the rows; the mark stays where it was."""
        place = self.highlighted or 0
        self._rows = rows
        self.show_rows(len(rows), self._draw_setting, place)

    def _draw_setting(self, index: int, _width: int) -> Content:
        row = self._rows[index]
        first = index == 0 or self._rows[index - 1].field.section != row.field.section
        return Content.assemble(
            (f" {row.field.section if first else '':<{SECTION_WIDTH}}", "bold $primary"),
            f"{row.field.name:<{NAME_WIDTH}}",
            (shown_value(row.value), MUTED if row.is_default else "bold $accent"),
            (f"  {row.field.variable}" if row.from_environment else "", "$warning"),
        )


def setting_rows(settings: Settings, environment: Mapping[str, str] = os.environ) -> tuple[SettingRow, ...]:
    """Return a row for each setting."""
    values = msgspec.to_builtins(settings)
    return tuple(
        SettingRow(field, values[field.section][field.name], field.variable in environment)
        for field in setting_fields()
    )


def shown_value(value: str | int | float) -> str:
    """Return a value as a row shows it."""
    return clean_line(str(value)) or "(empty)"


def typed_value(row: SettingRow, text: str) -> str | int | float:
    """Return what was typed, as a number where one is meant; anything else stays text, for the check."""
    kind = type(row.field.default)
    try:
        return text if kind is str else kind(text)
    except ValueError:
        return text
