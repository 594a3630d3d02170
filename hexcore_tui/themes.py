"""Themes: one TOML file each, ours shipped with the app, the user's own beside their settings.

A theme of the user's wins over ours of the same name; one that can't be used is said and left out.
"""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from textual.app import App
from textual.color import Color, ColorParseError
from textual.theme import Theme

from hexcore_engine.errors import SettingsError


class Palette(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of a table of colours."""


class BaseColors(Palette, frozen=True):
    """The colours everything is made of; Textual derives the rest."""

    primary: str
    secondary: str
    accent: str
    foreground: str
    background: str
    surface: str
    panel: str
    warning: str
    error: str
    success: str


class ManaColors(Palette, frozen=True):
    """Symbols of costs and texts."""

    white: str
    blue: str
    black: str
    red: str
    green: str
    colorless: str


class MemoryColors(Palette, frozen=True):
    """Parts of a device's memory."""

    weights: str
    kv_cache: str
    workspace: str
    engine_rest: str
    reserved: str
    others: str
    free: str


class ThemeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a theme's file holds."""

    name: str
    dark: bool
    colors: BaseColors
    mana: ManaColors
    memory: MemoryColors


_UNUSABLE = (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError)


def shipped_themes_dir() -> Path:
    """Return where our own themes are: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "themes"
    return installed if installed.is_dir() else package.parent / "themes"


def load_themes(user_dir: Path) -> tuple[tuple[Theme, ...], tuple[str, ...]]:
    """Return all usable themes, and a sentence for each file that holds none."""
    themes: dict[str, Theme] = {}
    problems: list[str] = []
    for file in (*_files(shipped_themes_dir()), *_files(user_dir)):
        try:
            theme = read_theme(file)
        except SettingsError as error:
            problems.append(error.message)
        else:
            themes[theme.name] = theme
    return tuple(themes.values()), tuple(problems)


def read_theme(file: Path) -> Theme:
    """Read one theme.

    Raises:
        SettingsError: naming the file, and the line or the key that is wrong.
    """
    try:
        content = msgspec.convert(tomllib.loads(file.read_text("utf-8-sig")), ThemeFile)
        return _theme(content)
    except _UNUSABLE as error:
        raise SettingsError(f"The theme {file} can't be used: {error}.") from error


def _theme(content: ThemeFile) -> Theme:
    colors: dict[str, str] = msgspec.to_builtins(content.colors)
    mana: dict[str, str] = msgspec.to_builtins(content.mana)
    memory: dict[str, str] = msgspec.to_builtins(content.memory)
    for table, values in (("colors", colors), ("mana", mana), ("memory", memory)):
        for key, value in values.items():
            _check_color(value, f"{table}.{key}")
    variables = {f"mana-{key}": value for key, value in mana.items()}
    variables |= {f"memory-{key.replace('_', '-')}": value for key, value in memory.items()}
    return Theme(name=content.name, dark=content.dark, variables=variables, **colors)  # type: ignore[arg-type]


def _check_color(value: str, key: str) -> None:
    try:
        Color.parse(value)
    except ColorParseError as error:
        raise msgspec.ValidationError(f"`{key}` is {value!r}, which is no colour") from error


def _files(folder: Path) -> Iterable[Path]:
    return sorted(folder.glob("*.toml")) if folder.is_dir() else ()


class ThemeShelf:
    """The themes an app can choose from; sees when a file of the user's changes."""

    def __init__(self, app: App[Any], user_dir: Path) -> None:
        self._app = app
        self._user_dir = user_dir
        self._seen = self._look()

    def use(self, wanted: str) -> tuple[str, ...]:
        """Offer all usable themes and show `wanted`, else the first; return what is wrong."""
        names, problems = self._offer()
        if wanted not in names:
            problems = (*problems, f"There is no theme {wanted!r}; there are {', '.join(names)}.")
        self._app.theme = wanted if wanted in names else names[0]
        # Textual's own lack the colours of mana and memory.
        self._withdraw(set(self._app.available_themes).difference(names))
        return problems

    def look_again(self) -> tuple[str, ...] | None:
        """Show the theme anew where a file of the user's changed, and return what is wrong; None where none
        did. A file that was spoilt leaves on the screen what it was before."""
        seen = self._look()
        if seen == self._seen:
            return None
        self._seen = seen
        names, problems = self._offer()
        self._withdraw(set(self._app.available_themes).difference(names, {self._app.theme}))
        # The name is the same, its colours may not be.
        self._app.mutate_reactive(App.theme)
        return problems

    def _offer(self) -> tuple[list[str], tuple[str, ...]]:
        themes, problems = load_themes(self._user_dir)
        for theme in themes:
            self._app.register_theme(theme)
        return [theme.name for theme in themes], problems

    def _withdraw(self, names: set[str]) -> None:
        for name in names:
            self._app.unregister_theme(name)

    def _look(self) -> tuple[tuple[str, int, int], ...]:
        """Name, time and size of each of the user's files; cheap enough for once a second."""
        found = []
        for file in _files(self._user_dir):
            with contextlib.suppress(OSError):
                status = file.stat()
                found.append((file.name, status.st_mtime_ns, status.st_size))
        return tuple(found)
