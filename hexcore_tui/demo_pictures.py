"""Pictures of the demo as SVG, the same in every run: `--screenshot`, and what the documentation shows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from textual.pilot import Pilot

from hexcore_engine.client.client import EngineClient
from hexcore_engine.errors import StorageError
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.requests import PrepareQuestion
from hexcore_engine.settings import Settings
from hexcore_tui.app import HexcoreApp
from hexcore_tui.demo import QUESTION, demo_home
from hexcore_tui.messages import RuleRequested
from hexcore_tui.widgets.cards.card_view import CardView
from hexcore_tui.widgets.chat.prompt_input import PromptInput
from hexcore_tui.widgets.chat.status_line import StatusLine
from hexcore_tui.widgets.rules.rule_view import RuleView

# The rule that is read beside the chat, and on the rules screen.
OPENED_RULE = "702.19b"
CARD_QUERY = "t:creature mv<=3"
RULE_WORDS = "trample deathtouch"
COLUMNS, ROWS = 118, 34
SCENE_TIMEOUT_S = 30.0
SETTLING_S = 0.2

Scene = Callable[[HexcoreApp, "Pilot[Any]"], Awaitable[None]]


def draw_pictures(files: Mapping[str, Path]) -> None:
    """Write each scene's picture to its file.

    Args:
        files: the file of each scene to draw; the scenes are the keys of `SCENES`.

    Raises:
        StorageError: when a file can't be written.
    """
    with demo_home() as (paths, settings):
        pictures = asyncio.run(_draw(paths, settings, tuple(files)))
    for scene, file in files.items():
        try:
            file.write_text(pictures[scene], "utf-8")
        except OSError as error:
            raise StorageError(f"{file} could not be written: {error.strerror}.") from error


async def _draw(paths: Paths, settings: Settings, scenes: tuple[str, ...]) -> dict[str, str]:
    client = await EngineClient.connect(paths, settings, client_name="demo")
    await client.call(PrepareQuestion(question=QUESTION))
    await client.close()
    pictures = {}
    for scene in scenes:
        app = HexcoreApp(paths, settings)
        async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
            await _until(partial(_is_ready, app))
            await SCENES[scene](app, pilot)
            picture = await _settled(app, pilot)
        # Browsers have a monospaced font of their own: the picture fetches none.
        pictures[scene] = re.sub(r"@font-face\s*{[^}]*}\s*", "", picture)
    return pictures


async def _settled(app: HexcoreApp, pilot: Pilot[Any]) -> str:
    """The picture that two looks in a row have seen: what threads and the engine give comes when it comes."""
    picture = ""
    async with asyncio.timeout(SCENE_TIMEOUT_S):
        while True:
            await pilot.pause(SETTLING_S)
            seen, picture = picture, app.export_screenshot(title="hexcore-tui --demo")
            if seen == picture:
                return picture


def _is_ready(app: HexcoreApp) -> bool:
    return app.facts.model is not None and app.facts.num_cards is not None


async def _show_chat(app: HexcoreApp, pilot: Pilot[Any]) -> None:
    """The demo's question with its answer, and a rule read beside it."""
    app.chat.query_one(PromptInput).cursor_blink = False
    app.chat.add_words(QUESTION)
    await pilot.press("enter")
    status = app.chat.query_one(StatusLine)
    await _until(lambda: status.usage is not None and not app.chat.answering)
    app.chat.show_beside(RuleRequested(OPENED_RULE))
    await _until(lambda: any(view.number == OPENED_RULE for view in app.chat.query(RuleView)))
    if status.usage:
        # The one figure that differs from run to run.
        status.usage = msgspec.structs.replace(status.usage, ttft_ms=None)


async def _show_cards(app: HexcoreApp, pilot: Pilot[Any]) -> None:
    """Cards found by a query, the first of them read."""
    app.search_for(CARD_QUERY, "cards")
    await _until(lambda: any(view.name_shown for view in app.screen.query(CardView)))
    await pilot.press("enter")


async def _show_rules(app: HexcoreApp, pilot: Pilot[Any]) -> None:
    """Rules found by words, one of them read."""
    app.search_for(RULE_WORDS, "rules")
    await _until(lambda: any(view.number for view in app.screen.query(RuleView)))
    await pilot.press("enter")


SCENES: dict[str, Scene] = {"chat": _show_chat, "cards": _show_cards, "rules": _show_rules}


async def _until(done: Callable[[], bool]) -> None:
    # The app tells its screen, not us: there is nothing to await.
    async with asyncio.timeout(SCENE_TIMEOUT_S):
        while not done():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
