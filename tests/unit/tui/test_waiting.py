"""What the screen says while one waits: for a model that loads, for an engine that says nothing."""

from __future__ import annotations

from collections.abc import Callable

from hexcore_engine.protocol import events
from hexcore_tui.app import HexcoreApp

from .conftest import beginning, screen_text, tell

MakeApp = Callable[[], HexcoreApp]


async def test_a_model_that_loads_says_how_long_it_takes_yet(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        app.chat._start_feed("Does the lantern count?")
        await pilot.pause()
        turn = app.chat._feed
        assert turn is not None
        tell(turn, *beginning()[:-1], events.ModelLoading("Pebble", "reading the weights", 0.25, 2.0))
        await pilot.pause()
        text = screen_text(app)
        assert "The model loads: reading the weights … ██████░" in text
        assert "25 % about 6 s left · Esc stops" in text
        tell(turn, *beginning()[-1:])
        await pilot.pause()
        assert "The model loads" not in screen_text(app)
