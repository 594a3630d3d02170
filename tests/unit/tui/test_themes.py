"""Themes: the user's own, seen as they are saved, and the one that needs no colour."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from rich.color import Color

from hexcore_engine.paths import Paths
from hexcore_engine.settings import Settings
from hexcore_tui.app import HexcoreApp
from hexcore_tui.themes import load_themes, shipped_themes_dir

MakeApp = Callable[[], HexcoreApp]
SHIPPED = (shipped_themes_dir() / "hexcore-dark.toml").read_text("utf-8")


def _save(paths: Paths, text: str) -> None:
    paths.themes_dir.mkdir(parents=True, exist_ok=True)
    (paths.themes_dir / "own.toml").write_text(text, "utf-8")


def test_there_are_a_dark_a_light_a_contrasting_and_a_colourless_one(paths: Paths) -> None:
    themes = {theme.name: theme for theme in load_themes(paths.themes_dir)[0]}
    assert set(themes) == {"hexcore-dark", "hexcore-light", "hexcore-contrast", "hexcore-mono"}
    assert not themes["hexcore-light"].dark


async def test_a_theme_saved_while_the_app_runs_is_shown(paths: Paths, make_app: MakeApp) -> None:
    own = SHIPPED.replace('"hexcore-dark"', '"own"')
    _save(paths, own)
    app = make_app()
    async with app.run_test() as pilot:
        app.theme = "own"
        before = app.screen.styles.background
        _save(paths, _red(own))
        app._look_at_themes()
        await pilot.pause()
        assert app.theme == "own"
        assert app.screen.styles.background != before
        assert app.screen.styles.background.rgb[0] > 200


async def test_a_theme_spoilt_while_the_app_runs_is_said_and_stays_as_it_was(
    paths: Paths, make_app: MakeApp
) -> None:
    _save(paths, SHIPPED.replace('"hexcore-dark"', '"own"'))
    app = make_app()
    async with app.run_test(notifications=True) as pilot:
        app.theme = "own"
        _save(paths, "name = 3")
        app._look_at_themes()
        await pilot.pause()
        assert app.theme == "own"
        assert any("own.toml" in line for line in app.missing)


async def test_no_color_leaves_no_colour(
    paths: Paths, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "NO_COLOR", "1")
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        found = {
            color
            for strip in app.screen._compositor.render_strips()
            for segment in strip.apply_filter(app._filters[0], app.screen.styles.background)
            if segment.style
            for color in (segment.style.color, segment.style.bgcolor)
            if color is not None
        }
    assert found
    assert all(_is_grey(color) for color in found)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (60, 40), (200, 60)])
async def test_every_screen_has_room_for_its_lists(
    paths: Paths, make_app: MakeApp, size: tuple[int, int]
) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        for key in ("f3", "f4", "f5", "f6", "f2"):
            await pilot.press(key)
            await pilot.pause()
            for widget in app.screen.focus_chain:
                assert app.screen.region.contains_region(widget.region), (key, widget)
                assert widget.size.height >= 1, (key, widget)


def _red(theme: str) -> str:
    lines = [
        'background = "#ff0000"' if line.startswith("background") else line for line in theme.splitlines()
    ]
    return "\n".join(lines)


def _is_grey(color: Color) -> bool:
    red, green, blue = color.get_truecolor()
    return red == green == blue


def test_settings_name_a_theme_that_exists(paths: Paths) -> None:
    assert Settings().screen.theme in {theme.name for theme in load_themes(paths.themes_dir)[0]}
