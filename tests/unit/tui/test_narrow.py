"""A narrow window, where conversation and pane can't stand side by side: the one with the focus is shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from hexcore_engine.data.demo import build_demo
from hexcore_engine.paths import Paths
from hexcore_tui.app import HexcoreApp
from hexcore_tui.messages import RuleRequested
from hexcore_tui.widgets.chat.prompt_input import PromptInput
from hexcore_tui.widgets.chat.side_pane import SidePane

from .conftest import screen_text, until

MakeApp = Callable[[], HexcoreApp]
NARROW, WIDE = (60, 20), (100, 30)


def shown(app: HexcoreApp) -> set[str]:
    """Which of the two is on the screen."""
    found = {"pane"} if any(pane.display for pane in app.chat.query(SidePane)) else set()
    return found | ({"conversation"} if app.chat.query_one("#conversation").display else set())


def focus_is_seen(app: HexcoreApp) -> bool:
    focused = app.screen.focused
    return focused is not None and all(node.display for node in focused.ancestors_with_self)


async def opened(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """A rule is read in the pane."""
    app.chat.show_beside(RuleRequested("702.19b"))
    await until(app, pilot, "Esc Close", "702.19b")


@pytest.fixture
def make(make_app: MakeApp, paths: Paths) -> MakeApp:
    build_demo(paths.knowledge_dir)
    return make_app


async def test_the_focus_decides_which_of_the_two_is_shown(make: MakeApp) -> None:
    app = make()
    async with app.run_test(size=NARROW) as pilot:
        assert shown(app) == {"conversation"}
        await opened(app, pilot)
        assert shown(app) == {"pane"}
        assert "Esc Close" in screen_text(app)
        await pilot.press("f9", "h")
        await pilot.pause()
        assert shown(app) == {"conversation"}
        assert app.chat.query_one(PromptInput).text == "h"
        await pilot.press("tab")
        await pilot.pause()
        assert shown(app) == {"pane"}
        assert focus_is_seen(app)
        await pilot.press("escape")
        await pilot.pause()
        assert shown(app) == {"conversation"}
        assert app.screen.focused is app.chat.query_one(PromptInput)


async def test_a_window_made_narrow_shows_what_one_is_in(make: MakeApp) -> None:
    app = make()
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        assert shown(app) == {"conversation", "pane"}
        await pilot.resize_terminal(*NARROW)
        await pilot.pause()
        assert shown(app) == {"pane"}
        assert focus_is_seen(app)
        await pilot.resize_terminal(*WIDE)
        await pilot.press("f9")
        await pilot.resize_terminal(*NARROW)
        await pilot.pause()
        assert shown(app) == {"conversation"}
        assert focus_is_seen(app)
        await pilot.press("h")
        assert app.chat.query_one(PromptInput).text == "h"
