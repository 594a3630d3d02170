from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.events import Key

from hexcore_engine.data.demo import build_demo
from hexcore_engine.paths import Paths
from hexcore_tui.app import HexcoreApp
from hexcore_tui.widgets.chat.prompt_input import PAUSE_S, PromptInput
from hexcore_tui.widgets.shared.query_input import QueryInput

from .conftest import answered, screen_text

MakeApp = Callable[[], HexcoreApp]


def _prompt(app: HexcoreApp) -> PromptInput:
    return app.chat.query_one(PromptInput)


def _asked(app: HexcoreApp) -> list[str]:
    return [turn.question for turn in app.chat.turns]


def _read_at_once(app: HexcoreApp, *keys: str) -> None:
    """What a terminal sends in one piece."""
    for key in keys:
        letter = {"enter": "\r", "space": " ", "left_square_bracket": "[", "right_square_bracket": "]"}
        app.post_message(Key(key, letter.get(key, key if len(key) == 1 else None)))


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
        await pilot.pause(2 * PAUSE_S)
        assert "Did you mean teach?" in screen_text(app)
        assert _prompt(app).text == "/mode tech"
        await pilot.press("x")
        async with asyncio.timeout(10):
            while "Did you mean teach?" in screen_text(app):
                await pilot.pause(0.02)


async def test_the_mode_key_goes_through_all_modes_and_back_to_auto(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        seen = []
        for _ in range(6):
            await pilot.press("ctrl+t")
            seen.append(_prompt(app).pinned_mode)
        assert seen == ["REASON", "EXPLAIN", "TEACH", "PREDICT", "RETROSPECT", None]


async def test_a_long_paste_is_folded_and_asked_whole(make_app: MakeApp) -> None:
    from textual.events import Paste

    pasted = "\n".join(f"line {number}" for number in range(40))
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press(*"why ")
        _prompt(app).post_message(Paste(pasted))
        await pilot.pause()
        assert _prompt(app).text == "why [pasted 1: 40 lines]"
        await pilot.press("enter")
        await pilot.pause()
        assert _asked(app) == [f"why {pasted}"]


async def test_a_cards_name_is_completed_while_it_is_typed(make_app: MakeApp, paths: Paths) -> None:
    build_demo(paths.knowledge_dir)
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press(*"Has ", "left_square_bracket", "left_square_bracket", *"gravel")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "Gravelmaw Titan" in screen_text(app)
        await pilot.press("tab", *"trample?")
        assert _prompt(app).text == "Has [[Gravelmaw Titan]] trample?"
        assert app.focused is _prompt(app)


async def test_earlier_questions_are_found_by_their_words_and_escape_changes_nothing(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        _prompt(app).remember_all(("Is moss green?", "Does a lantern burn?"))
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert "Is moss green?" in screen_text(app)
        await pilot.press(*"lant")
        await pilot.pause()
        text = screen_text(app)
        assert "Does a lantern burn?" in text
        assert "moss" not in text
        await pilot.press("escape")
        await pilot.pause()
        assert _prompt(app).text == "lant"
        await pilot.press("ctrl+r", "enter")
        await pilot.pause()
        assert _prompt(app).text == "Does a lantern burn?"


async def test_up_and_enter_read_at_once_ask_the_earlier_question_and_not_the_draft(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        _prompt(app).remember("Is moss green?")
        await pilot.press(*"draft")
        _read_at_once(app, "up", "enter")
        await pilot.pause()
        assert _asked(app) == ["Is moss green?"]


async def test_a_letter_taken_back_just_before_enter_is_not_asked(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        _read_at_once(app, *"mossy", "backspace", "enter")
        await pilot.pause()
        assert _asked(app) == ["moss"]


async def test_up_and_enter_read_at_once_open_what_the_newest_answer_ends_with(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        answered(app)
        await pilot.pause()
        _read_at_once(app, "up", "enter")
        await pilot.pause()
        assert app.chat.has_class("-reading")


async def test_a_question_typed_right_behind_the_key_for_a_new_conversation_is_asked_there(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        answered(app)
        await pilot.pause()
        assert app.chat._session_id == "s1"
        _read_at_once(app, "ctrl+n", *"moss", "enter")
        await pilot.pause()
        assert _asked(app) == ["moss"]
        assert app.chat._session_id is None


async def test_what_is_typed_right_behind_enter_begins_the_next_question(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        _read_at_once(app, *"moss", "enter", *"next")
        await pilot.pause()
        assert _asked(app) == ["moss"]
        assert _prompt(app).text == "next"


async def test_a_question_is_asked_before_the_key_behind_it_begins_a_new_conversation(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        _read_at_once(app, *"moss", "enter", "ctrl+n")
        await pilot.pause()
        assert _asked(app) == []
        assert _prompt(app).text == ""


async def test_a_letter_taken_back_in_a_search_stays_away(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.press("f3")
        await pilot.pause()
        _read_at_once(app, *"ab", "backspace", "c")
        await pilot.pause()
        assert app.screen.query_one(QueryInput).value == "ac"


async def test_enter_asks_when_a_cards_name_was_ended_before_its_list_came(
    make_app: MakeApp, paths: Paths
) -> None:
    build_demo(paths.knowledge_dir)
    brackets = "left_square_bracket", "right_square_bracket"
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        _read_at_once(app, *[brackets[0]] * 2, *"Gravelmaw", *[brackets[1]] * 2)
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "Gravelmaw Titan" not in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert _asked(app) == ["[[Gravelmaw]]"]


async def test_enter_read_together_with_the_end_of_a_cards_name_asks(make_app: MakeApp, paths: Paths) -> None:
    build_demo(paths.knowledge_dir)
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press(*["left_square_bracket"] * 2, *"Gravelmaw")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "Gravelmaw Titan" in screen_text(app)
        _read_at_once(app, *["right_square_bracket"] * 2, "enter")
        await pilot.pause()
        assert _asked(app) == ["[[Gravelmaw]]"]
