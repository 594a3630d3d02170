"""The app beside an engine that is stopped in the middle of things."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from hexcore_engine.client.engine_process import start_engine
from hexcore_engine.client.supervisor import engine_status
from hexcore_engine.paths import Paths
from hexcore_engine.settings import load_settings
from hexcore_tui.app import HexcoreApp
from hexcore_tui.silence import silent_words
from hexcore_tui.widgets.chat.prompt_input import PromptInput
from hexcore_tui.widgets.chat.turn import Turn

pytestmark = pytest.mark.slow
QUESTION = "Gravelmaw Titan has trample: how much damage must the blocker get?"
# From the last word of an engine to what is said about it.
TOLD_WITHIN_S = 8.0


@pytest.fixture
def slow_home(engine_home: Paths, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A home whose engine takes ten seconds for an answer."""
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", " ".join(f"word{number}" for number in range(300)))
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", "30")
    return engine_home


def _app(paths: Paths) -> HexcoreApp:
    return HexcoreApp(paths, load_settings(paths.settings_file))


async def _until(done: Callable[[], bool], timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not done():  # noqa: ASYNC110 - the app tells its screen, not us
            await asyncio.sleep(0.02)


async def _asked(app: HexcoreApp, pilot: Pilot[int]) -> Turn:
    app.chat.query_one(PromptInput).put(QUESTION)
    await pilot.press("enter")
    await _until(lambda: bool(app.chat.turns))
    return app.chat.turns[-1]


async def _pid(paths: Paths) -> int:
    status = await engine_status(paths)
    assert status is not None
    assert status.pid
    return status.pid


async def test_an_engine_that_stops_in_mid_answer_is_told_and_heard_again(slow_home: Paths) -> None:
    app = _app(slow_home)
    async with app.run_test() as pilot:
        turn = await _asked(app, pilot)
        await _until(lambda: "word3" in turn.answer)
        pid = await _pid(slow_home)
        os.kill(pid, signal.SIGSTOP)
        await _until(lambda: app.chat.alarm == silent_words(), TOLD_WITHIN_S)
        os.kill(pid, signal.SIGCONT)
        await _until(lambda: app.chat.alarm == "")
        await _until(lambda: "word40" in turn.answer)


async def test_a_restart_ends_the_silent_engine_and_gives_the_question_back(
    slow_home: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its first word comes after more than a minute.
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", "0.01")
    app = _app(slow_home)
    async with app.run_test() as pilot:
        turn = await _asked(app, pilot)
        await _until(lambda: turn.model_name is not None)
        pid = await _pid(slow_home)
        os.kill(pid, signal.SIGSTOP)
        await _until(lambda: app.chat.alarm == silent_words(), TOLD_WITHIN_S)
        monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", "0")
        await app.run_action("restart_engine")
        await _until(lambda: app.chat.query_one(PromptInput).text == QUESTION)
        await _until(lambda: app.bridge.connected and not app.chat.alarm)
        assert await _pid(slow_home) != pid
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        await pilot.press("enter")
        await _until(lambda: not app.chat.answering and "word40" in app.chat.turns[-1].answer)
        assert app.chat.problem == ""


async def test_an_app_that_meets_a_stopped_engine_says_so_and_can_restart_it(slow_home: Paths) -> None:
    await start_engine(slow_home)
    pid = await _pid(slow_home)
    os.kill(pid, signal.SIGSTOP)
    app = _app(slow_home)
    async with app.run_test() as pilot:
        await _until(lambda: app.chat.alarm == silent_words(), TOLD_WITHIN_S)
        turn = await _asked(app, pilot)
        await app.run_action("restart_engine")
        await _until(lambda: "word3" in turn.answer)
        assert await _pid(slow_home) != pid
        assert app.chat.alarm == ""


async def test_a_healthy_engine_is_restarted_with_what_was_written_kept(slow_home: Paths) -> None:
    app = _app(slow_home)
    async with app.run_test() as pilot:
        turn = await _asked(app, pilot)
        await _until(lambda: "word3" in turn.answer)
        pid = await _pid(slow_home)
        await app.run_action("restart_engine")
        await _until(lambda: app.bridge.connected and not app.chat.alarm)
        assert await _pid(slow_home) != pid
        assert turn.ended
        assert turn.stop_reason == "stopped"
        assert "word3" in turn.answer
