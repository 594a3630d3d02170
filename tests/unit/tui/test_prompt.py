from __future__ import annotations

from collections.abc import Callable

import pytest

from hexcore_tui.app import HexcoreApp
from hexcore_tui.widgets.chat.prompt_input import PromptInput

from .conftest import screen_text

MakeApp = Callable[[], HexcoreApp]


def _prompt(app: HexcoreApp) -> PromptInput:
    return app.chat.query_one(PromptInput)


async def test_a_paste_of_several_lines_is_kept_without_what_a_terminal_would_obey(make_app: MakeApp) -> None:
    from textual.events import Paste

    app = make_app()
    async with app.run_test() as pilot:
        _prompt(app).post_message(Paste("one\r\ntwo \x1b[31mred\x9b2J\u202e"))
        await pilot.pause()
        assert _prompt(app).text == "one\ntwo red"


async def test_ctrl_j_starts_a_new_line(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.press("a", "ctrl+j", "b")
        assert _prompt(app).text == "a\nb"


async def test_up_and_down_bring_earlier_questions_back_and_the_draft_too(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        prompt = _prompt(app)
        prompt.remember("first")
        prompt.remember("second")
        await pilot.press(*"draft", "up")
        assert prompt.text == "second"
        await pilot.press("up")
        assert prompt.text == "first"
        await pilot.press("down", "down")
        assert prompt.text == "draft"


@pytest.mark.parametrize(
    ("typed", "mode", "left"),
    [("/mode teach", "TEACH", ""), ("/mode auto", None, ""), ("/mode pred what now", "PREDICT", "what now")],
)
async def test_a_mode_is_chosen_by_its_name(
    make_app: MakeApp, typed: str, mode: str | None, left: str
) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        _prompt(app).put(typed)
        await pilot.press("enter")
        await pilot.pause()
        assert _prompt(app).pinned_mode == mode
        assert _prompt(app).text == left


async def test_a_mode_that_does_not_exist_is_answered_with_the_nearest(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        _prompt(app).put("/mode tech")
        await pilot.press("enter")
        await pilot.pause()
        assert "Did you mean teach?" in screen_text(app)
        assert _prompt(app).text == "/mode tech"


async def test_the_mode_key_goes_through_all_modes_and_back_to_auto(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        seen = []
        for _ in range(6):
            await pilot.press("ctrl+t")
            seen.append(_prompt(app).pinned_mode)
        assert seen == ["REASON", "EXPLAIN", "TEACH", "PREDICT", "RETROSPECT", None]
