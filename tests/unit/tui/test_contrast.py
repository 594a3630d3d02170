"""Every word can be read in every theme we ship: the contrast that accessibility guidelines ask of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from rich.color import Color
from rich.segment import Segment

from hexcore_engine.data.demo import build_demo
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events
from hexcore_tui.app import HexcoreApp
from hexcore_tui.themes import load_themes, shipped_themes_dir

from .conftest import CITATIONS, beginning, ending, streamed, tell

LEAST_CONTRAST = 4.5
THEMES = [theme.name for theme in load_themes(shipped_themes_dir() / "none")[0]]


def _channel(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _luminance(color: Color) -> float:
    red, green, blue = (_channel(value) for value in color.get_truecolor())
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(segment: Segment) -> float:
    style = segment.style
    if style is None or style.color is None or style.bgcolor is None:
        return 21.0
    dark, light = sorted((_luminance(style.color), _luminance(style.bgcolor)))
    return (light + 0.05) / (dark + 0.05)


def _hard_to_read(app: HexcoreApp) -> Iterator[tuple[str, float]]:
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            has_words = any(letter.isalnum() for letter in segment.text)
            if has_words and _contrast(segment) < LEAST_CONTRAST:
                yield segment.text, round(_contrast(segment), 1)


@pytest.mark.parametrize("theme", THEMES)
async def test_every_word_of_every_screen_can_be_read(
    paths: Paths, make_app: Callable[[], HexcoreApp], theme: str
) -> None:
    build_demo(paths.knowledge_dir)
    app = make_app()
    found: dict[str, list[tuple[str, float]]] = {}
    async with app.run_test(size=(100, 40)) as pilot:
        app.theme = theme
        app.chat._start_feed("Does the lantern count?")
        feed = app.chat._feed
        assert feed is not None
        await pilot.pause()
        checked = (events.CitationChecked("q1", citation) for citation in CITATIONS)
        tell(feed, *beginning(), *streamed(), *checked, ending())
        for keys in (
            ("x",),
            ("backspace", "tab", "down"),
            ("enter",),
            ("f3", *"tit"),
            ("enter",),
            ("f4", "7"),
            ("down", "enter", "tab"),
            ("f5",),
            ("f6",),
        ):
            await pilot.press(*keys)
            await pilot.pause(0.1)
            found[" ".join(keys)] = list(_hard_to_read(app))
    assert {keys: words for keys, words in found.items() if words} == {}
