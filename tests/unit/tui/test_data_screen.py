"""Bringing rules and cards from within the app: the file asked for, the progress and the end said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from hexcore_engine.protocol import events
from hexcore_engine.protocol.records import ErrorRecord
from hexcore_tui import messages
from hexcore_tui.app import HexcoreApp
from hexcore_tui.screens.data import DataScreen, DataWork, import_request, typed_path
from hexcore_tui.screens.rules import RulesScreen

from .conftest import screen_text, until

MakeApp = Callable[[], HexcoreApp]


async def say(app: HexcoreApp, pilot: Pilot[int], *told: Message) -> str:
    """The screen once the engine said these messages."""
    for message in told:
        app.chat.query_one(DataWork).post_message(message)
        await pilot.pause()
    return screen_text(app)


async def test_a_file_is_asked_for_and_what_comes_of_it_is_said(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(90, 30)) as pilot:
        await app.run_action("import_data")
        await pilot.pause()
        assert isinstance(app.screen, DataScreen)
        assert "official rules as a text file" in screen_text(app)
        await pilot.press("enter")
        assert "official rules as a text file" in screen_text(app)
        app.screen.query_one(Input).value = "rules.txt"
        await pilot.press("enter")
        # This app has no engine.
        await until(app, pilot, "No engine is running.")
        progressed = messages.DataWorkProgressed(events.DataProgressed("fetching moss", 0.5))
        text = await say(app, pilot, progressed)
        assert "fetching moss" in text
        assert "░ 50 %" in text
        arrived = messages.DataArrived(events.DataChanged("3 rules\x1b[31m read"))
        assert "3 rules read" in await say(app, pilot, arrived)
        await pilot.press("escape")
        assert not isinstance(app.screen, DataScreen)


@pytest.mark.parametrize("action", ["update_data", "run_setup"])
async def test_what_needs_no_file_begins_at_once_and_its_failure_is_said(
    make_app: MakeApp, action: str
) -> None:
    app = make_app()
    async with app.run_test(size=(90, 30)) as pilot:
        await app.run_action(action)
        await until(app, pilot, "No engine is running.")
        error = ErrorRecord("HX-DOWNLOAD", "The page can't be reached.", "Check the connection.")
        text = await say(app, pilot, messages.RequestRefused(error))
        assert "The page can't be reached." in text
        assert "Check the connection." in text


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (messages.DataArrived(events.DataChanged("3 [rules] read")), "3 [rules] read"),
        (
            messages.RequestRefused(ErrorRecord("HX-DOWNLOAD", "No [page] is there.", "Check it.")),
            "No [page] is there.",
        ),
    ],
)
async def test_the_end_of_work_whose_window_was_left_is_told_wherever_one_is(
    make_app: MakeApp, told: Message, words: str
) -> None:
    app = make_app()
    async with app.run_test(size=(90, 30), notifications=True) as pilot:
        await app.run_action("update_data")
        await until(app, pilot, "No engine is running.")
        await pilot.press("escape", "f4")
        assert words not in screen_text(app)
        await say(app, pilot, told)
        await until(app, pilot, words)
        assert isinstance(app.screen, RulesScreen)


async def test_work_that_still_goes_on_is_seen_again_and_not_begun_twice(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(90, 30)) as pilot:
        await app.run_action("update_data")
        await until(app, pilot, "No engine is running.")
        work = app.chat.query_one(DataWork)
        work.goes_on = True
        await pilot.press("escape")
        await say(app, pilot, messages.DataWorkProgressed(events.DataProgressed("fetching moss", 0.5)))
        await app.run_action("run_setup")
        await until(app, pilot, "fetching moss")
        assert app.chat.query(DataWork).nodes == [work]


def test_a_path_is_made_whole_for_the_engine_of_this_machine_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert import_request("a b.txt", elsewhere=False).file == str(tmp_path / "a b.txt")
    assert import_request("~/a.txt", elsewhere=False).file == str(Path.home() / "a.txt")
    assert import_request("~/a.txt", elsewhere=True).file == "~/a.txt"


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        (" /a/b.txt ", "/a/b.txt"),
        ('"/a/b c.txt"', "/a/b c.txt"),
        ("/a/b\\ c.txt", "/a/b c.txt"),
        ("file:///a/b.txt", "/a/b.txt"),
        ("'", "'"),
    ],
)
def test_a_path_is_taken_as_terminals_paste_it(typed: str, path: str) -> None:
    assert typed_path(typed) == path
