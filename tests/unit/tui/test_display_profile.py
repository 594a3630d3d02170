"""Over a line the terminal is sent less."""

from __future__ import annotations

import pytest

from hexcore_engine.paths import Paths
from hexcore_engine.settings import ScreenSettings, Settings
from hexcore_tui.app import HexcoreApp
from hexcore_tui.display_profile import PROFILES, apply_profile, choose_profile
from hexcore_tui.screens.memory import MemoryScreen


@pytest.mark.parametrize(
    ("wanted", "environment", "name"),
    [
        ("auto", {}, "local"),
        ("auto", {"SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}, "ssh"),
        ("auto", {"SSH_TTY": "/dev/pts/1"}, "ssh"),
        ("local", {"SSH_TTY": "/dev/pts/1"}, "local"),
        ("ssh", {}, "ssh"),
        ("auto", {"TERM": "dumb"}, "plain"),
    ],
)
def test_the_connection_chooses_unless_the_settings_do(
    wanted: str, environment: dict[str, str], name: str
) -> None:
    assert choose_profile(wanted, environment).name == name


def test_over_ssh_there_are_ten_updates_a_second_and_no_animation() -> None:
    environment: dict[str, str] = {}
    apply_profile(PROFILES["ssh"], environment)
    assert environment["TEXTUAL_FPS"] == "10"
    assert environment["TEXTUAL_ANIMATIONS"] == "none"
    assert PROFILES["ssh"].batch_s == 0.1


@pytest.mark.parametrize(("profile", "blinks", "interval_s"), [("local", True, 0.5), ("ssh", False, 2.0)])
async def test_over_ssh_no_cursor_blinks_and_memory_is_seen_every_two_seconds(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, profile: str, blinks: bool, interval_s: float
) -> None:
    settings = Settings(screen=ScreenSettings(memory_interval_s=0.5))
    app = HexcoreApp(paths, settings, choose_profile(profile, {}), start_engine=False)
    seen: list[float] = []
    monkeypatch.setattr(app.bridge, "watch_memory", lambda _sink, seconds: seen.append(seconds))
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.chat._prompt.cursor_blink is blinks
        await pilot.press("f3")
        await pilot.pause()
        assert app.screen.focused is not None
        assert app.screen.focused.cursor_blink is blinks  # type: ignore[attr-defined]
        await pilot.press("f5")
        assert isinstance(app.screen, MemoryScreen)
        await pilot.pause()
    assert seen
    assert set(seen) == {interval_s}
