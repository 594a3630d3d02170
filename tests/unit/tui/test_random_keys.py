"""Any key at any time, in a window of any size: nothing breaks, and the focus is never lost.

HEXCORE_FUZZ_SEED repeats a run, HEXCORE_FUZZ_KEYS sets its length.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.geometry import Size
from textual.pilot import Pilot

from hexcore_engine.data.demo import build_demo
from hexcore_engine.paths import Paths
from hexcore_tui.actions import ACTIONS
from hexcore_tui.app import HexcoreApp

from .conftest import screen_text

pytestmark = pytest.mark.slow

NUM_KEYS = int(os.environ.get("HEXCORE_FUZZ_KEYS", "300"))
RESIZE_SHARE = 0.1
SIZES = [(1, 1), (3, 3), (8, 8), (20, 5), (200, 2), (40, 12), (60, 20), (80, 24), (100, 30), (200, 60)]
# These end the app.
LEFT_OUT = {"ctrl+q", "ctrl+c"}


def _keys() -> list[str]:
    bound = {key for action in ACTIONS for key in action.key.split(",") if key}
    typed = [*"abcdefghijklmnopqrstuvwxyzGX0123456789", "space", "backspace", "delete", "full_stop", "colon"]
    moves = ["up", "down", "left", "right", "home", "end", "pageup", "pagedown", "tab", "shift+tab", "enter"]
    return sorted({*bound, *typed, *moves, "escape"} - LEFT_OUT)


async def _stay(_app: HexcoreApp) -> None:
    """Quit, which would end the test."""


def _problem(app: HexcoreApp) -> str:
    """What is wrong with the focus, or nothing."""
    screen = app.screen
    if len(app.screen_stack) > 1 and not screen.focus_chain:
        return ""
    focused = screen.focused
    if focused is None:
        return "nothing has the focus" if screen.focus_chain else ""
    if not focused.is_attached or not all(node.display for node in focused.ancestors_with_self):
        return f"{focused!r} has the focus but can't be seen"
    return ""


async def _press_all(app: HexcoreApp, pilot: Pilot[int], chance: random.Random) -> None:
    pressed: list[str] = []
    keys = _keys()
    for _ in range(NUM_KEYS):
        if chance.random() < RESIZE_SHARE:
            columns, rows = chance.choice(SIZES)
            pressed.append(f"{columns}x{rows}")
            await pilot.resize_terminal(columns, rows)
            assert app.size == Size(columns, rows)
        else:
            pressed.append(chance.choice(keys))
            await pilot.press(pressed[-1])
        assert app.is_running, pressed[-12:]
        problem = _problem(app)
        assert not problem, f"{problem} after {pressed[-12:]}\n{screen_text(app)}"


async def test_random_keys_and_sizes_never_break_it_nor_lose_the_focus(
    paths: Paths,
    make_app: Callable[[], HexcoreApp],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEXCORE_OFFLINE", "1")
    # The palette offers it too.
    monkeypatch.setattr(HexcoreApp, "action_quit", _stay)
    build_demo(paths.knowledge_dir)
    seed = int(os.environ.get("HEXCORE_FUZZ_SEED") or random.randrange(10**9))
    # Shown by pytest when the test fails.
    sys.stdout.write(f"HEXCORE_FUZZ_SEED={seed}\n")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await _press_all(app, pilot, random.Random(seed))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 60)])
async def test_tab_goes_round_every_screen_and_each_stop_can_be_seen(
    paths: Paths, make_app: Callable[[], HexcoreApp], size: tuple[int, int]
) -> None:
    build_demo(paths.knowledge_dir)
    app = make_app()
    async with app.run_test(size=size) as pilot:
        for key in ("f2", "f3", "f4", "f5", "f6", "f10"):
            await pilot.press(key)
            await pilot.pause()
            for _ in range(2 * len(app.screen.focus_chain) + 2):
                await pilot.press("tab")
                focused = app.screen.focused
                assert focused is not None, key
                assert focused.region.overlaps(app.screen.region), (key, focused)
                assert focused.size.area > 0, (key, focused)


@pytest.mark.parametrize("columns", range(1, 9))
async def test_a_window_without_room_breaks_nothing(make_app: Callable[[], HexcoreApp], columns: int) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.resize_terminal(columns, 8)
        await pilot.press("ctrl+p", "pageup", "pagedown", "escape")
        await pilot.resize_terminal(80, 24)
        await pilot.press("a")
        assert app.is_running
        assert "a" in screen_text(app)
