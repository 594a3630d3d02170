"""The list of conversations on a real engine: what a key does befalls the row that was meant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from hexcore_engine.paths import Paths
from hexcore_engine.settings import load_settings
from hexcore_tui.app import HexcoreApp
from hexcore_tui.widgets.chat.prompt_input import PromptInput
from hexcore_tui.widgets.sessions.session_list import SessionList
from hexcore_tui.widgets.shared.query_input import QueryInput

pytestmark = pytest.mark.slow

OLDER = "How much damage must the blocker get?"
NEWER = "What about flying?"


async def _until(done: Callable[[], bool], timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not done():  # noqa: ASYNC110 - the app tells its screen, not us
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _two_conversations(paths: Paths) -> AsyncIterator[tuple[HexcoreApp, Pilot[int]]]:
    """The app at its list of two conversations, the newer one marked."""
    app = HexcoreApp(paths, load_settings(paths.settings_file))
    async with app.run_test(size=(120, 30)) as pilot:
        for question in (OLDER, NEWER):
            await pilot.press("ctrl+n")
            app.chat.query_one(PromptInput).put(question)
            await pilot.press("enter")
            await _until(lambda: bool(app.chat.turns) and not app.chat.answering)
        await pilot.press("f6")
        await _until(lambda: _titles(app) == [NEWER, OLDER])
        yield app, pilot


def _titles(app: HexcoreApp) -> list[str]:
    return [hit.session.title for hit in app.screen.query_one(SessionList)._hits]


def _files(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text("utf-8") for file in folder.glob("hexcore-*.*")}


async def test_words_and_enter_at_once_open_what_the_words_find(engine_home: Paths) -> None:
    async with _two_conversations(engine_home) as (app, pilot):
        app.screen.query_one(QueryInput).value = "blocker"
        await pilot.press("enter")
        await _until(lambda: app.current_mode == "chat")
        await _until(lambda: [turn.question for turn in app.chat.turns] == [OLDER])


async def test_words_and_the_delete_key_at_once_delete_what_the_words_find(engine_home: Paths) -> None:
    async with _two_conversations(engine_home) as (app, pilot):
        app.screen.query_one(QueryInput).value = "blocker"
        await pilot.press("ctrl+x")
        await _until(lambda: _titles(app) == [])
        app.screen.query_one(QueryInput).value = ""
        await _until(lambda: _titles(app) == [NEWER])


async def test_a_new_title_goes_to_the_conversation_whose_renaming_began(engine_home: Paths) -> None:
    async with _two_conversations(engine_home) as (app, pilot):
        await pilot.press("down", "ctrl+r")
        app.screen.query_one(SessionList).highlighted = 0
        app.screen.query_one("#title", Input).value = "Lanterns"
        await pilot.press("enter")
        await _until(lambda: "Lanterns" in _titles(app))
        assert sorted(_titles(app)) == ["Lanterns", NEWER]


async def test_two_exports_in_a_row_keep_each_its_own_format(
    engine_home: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with _two_conversations(engine_home) as (app, _):
        await app.screen.run_action("export_session('markdown')")
        await app.screen.run_action("export_session('json')")
        await _until(lambda: len(_files(tmp_path)) == 2)
    begins = {name.rsplit(".")[-1]: text[0] for name, text in _files(tmp_path).items()}
    assert begins == {"md": "#", "json": "{"}
