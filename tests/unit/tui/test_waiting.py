"""What the screen says while one waits: for a model that loads, for an engine that says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from hexcore_engine.errors import EngineLostError
from hexcore_engine.protocol import events
from hexcore_tui import messages, silence
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


class _Engine:
    """Counts how often it is asked how it is, and answers while it is awake."""

    def __init__(self) -> None:
        self.num_asked = 0
        self.awake = asyncio.Event()
        self.awake.set()

    async def ask(self) -> None:
        self.num_asked += 1
        await self.awake.wait()


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "ASK_EVERY_S", 0.02)
    monkeypatch.setattr(silence, "SILENT_AFTER_S", 0.05)


async def _until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.mark.usefixtures("_quick")
async def test_silence_is_told_once_and_its_end_too() -> None:
    engine, told = _Engine(), list[bool]()
    watch = silence.SilenceWatch(engine.ask, told.append)
    with watch.expecting():
        await _until(lambda: engine.num_asked > 3)
        assert told == []
        engine.awake.clear()
        await _until(lambda: bool(told))
        watch.fall_silent()
        assert told == [True]
        engine.awake.set()
        await _until(lambda: len(told) > 1)
        assert told == [True, False]
    watch.close()


@pytest.mark.usefixtures("_quick")
async def test_an_app_that_expects_nothing_asks_nothing() -> None:
    engine = _Engine()
    watch = silence.SilenceWatch(engine.ask, lambda _: None)
    with watch.expecting():
        await _until(lambda: engine.num_asked > 0)
    await _until(lambda: watch._asking is not None and watch._asking.done())
    with watch.expecting():
        await _until(lambda: engine.num_asked > 1)
    watch.close()


@pytest.mark.usefixtures("_quick")
async def test_an_engine_that_is_gone_is_not_called_silent() -> None:
    told, asked = list[bool](), list[int]()

    async def ask() -> None:
        asked.append(1)
        raise EngineLostError("The engine has ended.")

    watch = silence.SilenceWatch(ask, told.append)
    with watch.expecting():
        await _until(lambda: len(asked) > 2)
    assert told == []
    watch.close()


async def test_what_is_wrong_with_the_engine_stands_before_all_else(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        app.chat._status.doing = "Answering … Esc stops"
        app.post_message(messages.EngineFellSilent())
        await pilot.pause()
        text = " ".join(screen_text(app).split())
        assert silence.silent_words() in text
        assert "Answering" not in text
        app.post_message(messages.EngineSpoke())
        await pilot.pause()
        assert "Answering" in screen_text(app)
