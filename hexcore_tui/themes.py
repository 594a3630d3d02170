"""Themes: one TOML file each, ours shipped with the app, the user's own beside their settings.

A theme of the user's wins over ours of the same name; one that can't be used is said and left out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

import msgspec
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
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
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
