"""Bringing rules and cards from within the app: the file asked for, the progress and the end said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from hexcore_engine.protocol import events, requests
from hexcore_engine.protocol.records import ErrorRecord
from hexcore_tui import messages
from hexcore_tui.app import HexcoreApp
from hexcore_tui.screens.data import DataScreen, typed_path

from .conftest import screen_text

MakeApp = Callable[[], HexcoreApp]


async def test_a_file_is_asked_for_and_what_comes_of_it_is_said(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = make_app()
    asked: list[requests.Request] = []
    monkeypatch.setattr(app.bridge, "request", lambda sink, request: asked.append(request))
    monkeypatch.chdir(tmp_path)
    async with app.run_test(size=(90, 30)) as pilot:
        await app.run_action("import_data")
        await pilot.pause()
        assert isinstance(app.screen, DataScreen)
        assert "official rules as a text file" in screen_text(app)
        app.screen.query_one(Input).value = "'rules of mine.txt'"
        await pilot.press("enter")
        # Once more while it works: nothing.
        await pilot.press("enter")
        wanted = requests.ImportData(str(tmp_path / "rules of mine.txt"))
        assert [request for request in asked if isinstance(request, requests.ImportData)] == [wanted]
        app.screen.post_message(messages.DataWorkProgressed(events.DataProgressed("fetching moss", 0.5)))
        await pilot.pause()
        assert "fetching moss 50 %" in screen_text(app)
        app.screen.post_message(messages.DataArrived(events.DataChanged("3 rules\x1b[31m read")))
        await pilot.pause()
        assert "3 rules read" in screen_text(app)
        await pilot.press("escape")
        assert not isinstance(app.screen, DataScreen)


async def test_an_update_begins_at_once_and_its_failure_is_said(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    asked: list[requests.Request] = []
    monkeypatch.setattr(app.bridge, "request", lambda sink, request: asked.append(request))
    async with app.run_test(size=(90, 30)) as pilot:
        await app.run_action("update_data")
        await pilot.pause()
        assert requests.UpdateData() in asked
        error = ErrorRecord("HX-DOWNLOAD", "The page can't be reached.", "Check the connection.")
        app.screen.post_message(messages.RequestRefused(error))
        await pilot.pause()
        text = screen_text(app)
        assert "The page can't be reached." in text
        assert "Check the connection." in text


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
