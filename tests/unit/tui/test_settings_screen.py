"""Settings are seen, explained, checked and kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hexcore_engine.paths import Paths
from hexcore_engine.settings import load_settings, setting_fields
from hexcore_tui.app import HexcoreApp
from hexcore_tui.screens.settings import SettingsScreen
from hexcore_tui.widgets.settings.setting_list import SettingList, setting_rows

from .conftest import screen_text

MakeApp = Callable[[], HexcoreApp]


def _mark(app: HexcoreApp, name: str) -> None:
    rows = setting_rows(app.settings)
    app.screen.query_one(SettingList).highlighted = [row.field.name for row in rows].index(name)


def test_every_setting_says_what_it_means_what_may_stand_there_and_when_it_counts() -> None:
    for field in setting_fields():
        assert field.description, field.name
        assert field.values, field.name
        assert field.effect, field.name


async def test_a_word_goes_on_to_the_next_and_comments_stay(paths: Paths, make_app: MakeApp) -> None:
    paths.settings_file.parent.mkdir(parents=True)
    paths.settings_file.write_text("# mine\n[screen]\nprofile = 'auto' # as it comes\n", "utf-8")
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("f10")
        assert isinstance(app.screen, SettingsScreen)
        _mark(app, "profile")
        await pilot.press("enter")
        await pilot.pause()
        assert "Saved; counts when the app starts next." in screen_text(app)
    text = paths.settings_file.read_text("utf-8")
    assert "# mine" in text
    assert "# as it comes" in text
    assert load_settings(paths.settings_file, {}).screen.profile == "local"


async def test_a_wrong_number_is_said_and_the_field_stays(paths: Paths, make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("f10")
        _mark(app, "max_tokens")
        await pilot.press("enter", "ctrl+u", *"99999", "enter")
        await pilot.pause()
        assert "8192" in screen_text(app)
        assert not paths.settings_file.exists()
        await pilot.press("ctrl+u", *"640", "enter")
        await pilot.pause()
        assert "Saved; counts with a new engine: n lets this one leave." in screen_text(app)
        assert app.settings.answer.max_tokens == 640
        await pilot.press("d")
        await pilot.pause()
        assert app.settings.answer.max_tokens == 320


async def test_a_value_goes_to_the_setting_whose_editing_began(paths: Paths, make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("f10")
        _mark(app, "max_tokens")
        await pilot.press("enter", "ctrl+u", *"640")
        _mark(app, "seed")
        await pilot.press("enter")
        await pilot.pause()
        assert app.settings.answer.max_tokens == 640
        assert "seed" not in paths.settings_file.read_text("utf-8")


async def test_a_variable_that_counts_more_is_named(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_ANSWER_SEED", "7")
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("f10")
        _mark(app, "seed")
        assert "HEXCORE_ANSWER_SEED" in screen_text(app)
        await pilot.press("enter", "ctrl+u", "3", "enter")
        await pilot.pause()
        assert "HEXCORE_ANSWER_SEED is set and counts more" in screen_text(app)


async def test_a_theme_is_shown_as_soon_as_it_is_saved(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("f10")
        _mark(app, "theme")
        await pilot.press("enter", "ctrl+u", *"hexcore-light", "enter")
        await pilot.pause()
        assert app.theme == "hexcore-light"


@pytest.fixture
def unusable_folder(paths: Paths) -> None:
    paths.config_dir.write_text("a file where the folder should be", "utf-8")


@pytest.mark.usefixtures("unusable_folder")
async def test_a_file_that_can_not_be_written_is_said(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("f10")
        _mark(app, "profile")
        await pilot.press("enter")
        await pilot.pause()
        assert "could not be written" in " ".join(screen_text(app).split())
