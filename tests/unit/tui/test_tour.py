"""The tour of the first run: seen once, in nobody's way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from hexcore_engine.paths import Paths
from hexcore_engine.settings import Settings
from hexcore_tui import app as app_module
from hexcore_tui.app import HexcoreApp
from hexcore_tui.widgets.chat.tour import STEP_S, Tour, tour_steps

from .conftest import screen_text


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "TOUR_DELAY_S", 0.01)


async def _settled(pilot: Pilot[int]) -> None:
    await pilot.pause(0.1)
    await pilot.pause()


@pytest.fixture
def newcomers_app(paths: Paths) -> Callable[[], HexcoreApp]:
    return lambda: HexcoreApp(paths, Settings(), start_engine=False, tour=True)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_a_newcomer_is_shown_around_with_the_question_field_ready(
    newcomers_app: Callable[[], HexcoreApp], size: tuple[int, int]
) -> None:
    app = newcomers_app()
    async with app.run_test(size=size) as pilot:
        await _settled(pilot)
        assert "1 of 6 · typing skips this" in screen_text(app)
        assert app.focused is app.chat._prompt
        await pilot.press("W")
        await pilot.pause()
        assert not app.chat.query(Tour)
        assert app.chat._prompt.text == "W"


async def test_it_never_comes_again(newcomers_app: Callable[[], HexcoreApp]) -> None:
    for expected in (True, False):
        app = newcomers_app()
        async with app.run_test() as pilot:
            await _settled(pilot)
            assert bool(app.chat.query(Tour)) is expected


async def test_whoever_has_asked_before_gets_none(
    paths: Paths, newcomers_app: Callable[[], HexcoreApp]
) -> None:
    paths.sessions_file.touch()
    app = newcomers_app()
    async with app.run_test() as pilot:
        await _settled(pilot)
        assert not app.chat.query(Tour)


async def test_it_turns_its_own_pages_and_ends_after_half_a_minute(
    newcomers_app: Callable[[], HexcoreApp],
) -> None:
    assert len(tour_steps()) * STEP_S == 30
    app = newcomers_app()
    async with app.run_test() as pilot:
        await _settled(pilot)
        tour = app.chat.query_one(Tour)
        for _ in tour_steps():
            assert app.focused is app.chat._prompt
            tour._turn_page()
            await pilot.pause()
        assert not app.chat.query(Tour)


async def test_a_folder_that_can_not_be_written_does_no_harm(
    paths: Paths, newcomers_app: Callable[[], HexcoreApp]
) -> None:
    paths.config_dir.parent.mkdir(parents=True, exist_ok=True)
    paths.config_dir.write_text("a file where the folder should be", "utf-8")
    app = newcomers_app()
    async with app.run_test() as pilot:
        await _settled(pilot)
        assert app.chat.query(Tour)


async def test_whoever_types_at_once_never_sees_it(
    newcomers_app: Callable[[], HexcoreApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "TOUR_DELAY_S", 0.2)
    app = newcomers_app()
    async with app.run_test() as pilot:
        await pilot.press("W")
        await pilot.pause(0.4)
        assert not app.chat.query(Tour)
