"""Keys of the user's own, and motion by letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual.geometry import Size

from hexcore_engine.paths import Paths
from hexcore_engine.settings import Settings, load_settings
from hexcore_tui.actions import first_key, use_keys
from hexcore_tui.app import HexcoreApp
from hexcore_tui.rebinding import plan_keys
from hexcore_tui.screens.conversation import kept_line_words, stop_words
from hexcore_tui.screens.help import HelpScreen, help_content
from hexcore_tui.silence import silent_words
from hexcore_tui.widgets.shared.title_bar import too_small_words

from .conftest import screen_text

MakeApp = Callable[..., HexcoreApp]


@pytest.fixture
def make_app(paths: Paths) -> Iterator[MakeApp]:
    def make(keys: dict[str, str], **screen: Any) -> HexcoreApp:
        lines = ["[screen]", *(f'{name} = "{value}"' for name, value in screen.items())]
        lines += ["[keys]", *(f'"{name}" = "{value}"' for name, value in keys.items())]
        paths.settings_file.parent.mkdir(parents=True, exist_ok=True)
        paths.settings_file.write_text("\n".join(lines), "utf-8")
        return HexcoreApp(paths, load_settings(paths.settings_file, {}), start_engine=False)

    yield make
    use_keys({})


@pytest.mark.parametrize(
    ("name", "keys", "words"),
    [
        ("go_card", "f3", "Did you mean 'go_cards'?"),
        ("rules.bakc", "f3", "Did you mean 'rules.back'?"),
        ("go_cards", "f99", "'f99' is no key. Did you mean 'f9'"),
        ("go_cards", "crtl+x", "Did you mean 'ctrl'?"),
        ("go_cards", "x", "is typed in questions"),
        ("go_cards", "f4", "is already everywhere.go_rules's"),
    ],
)
def test_a_line_that_can_not_be_followed_is_said_with_the_nearest_good_word(
    name: str, keys: str, words: str
) -> None:
    plan = plan_keys({name: keys})
    assert plan.keys == {}
    assert words in plan.problems[0]


def test_two_actions_may_swap_their_keys() -> None:
    plan = plan_keys({"go_cards": "f4", "go_rules": "f3"})
    assert plan.problems == ()
    assert plan.keys == {"everywhere.go_cards": "f4", "everywhere.go_rules": "f3"}


def test_a_name_without_its_place_means_every_place() -> None:
    assert set(plan_keys({"back": "alt+b"}).keys) == {"pane.back", "rules.back"}


async def test_a_rebound_key_works_and_the_old_one_does_not(make_app: MakeApp) -> None:
    app = make_app({"go_cards": "f12", "help": ""})
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f3", "f1")
        assert (app.current_mode, len(app.screen_stack)) == ("chat", 1)
        await pilot.press("f12")
        assert app.current_mode == "cards"
        assert "F12 Cards" in screen_text(app)
        assert first_key("go_cards", "everywhere") == "F12"
        assert "F12" in help_content(80).plain


async def test_a_wrong_line_is_said_on_the_first_screen(make_app: MakeApp) -> None:
    app = make_app({"qiut": "f12"})
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert "qiut: there is no such action. Did you mean 'quit'?" in screen_text(app)


async def test_letters_move_where_they_are_not_text(make_app: MakeApp) -> None:
    app = make_app({}, motion="vim")
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("j", "G")
        assert app.chat._prompt.text == "jG"
        await pilot.press("f1")
        help_screen = app.screen
        assert isinstance(help_screen, HelpScreen)
        scroll = help_screen.query_one("VerticalScroll")
        await pilot.press("j", "j", "ctrl+d")
        await pilot.pause()
        assert scroll.scroll_offset.y > 2
        await pilot.press("g")
        await pilot.pause()
        assert scroll.scroll_offset.y == 0


async def test_letters_are_no_motion_unless_they_are_wanted(paths: Paths) -> None:
    app = HexcoreApp(paths, Settings(), start_engine=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f1", "j", "j")
        assert app.screen.query_one("VerticalScroll").scroll_offset.y == 0


async def test_the_question_mark_shows_the_keys_of_where_one_is(paths: Paths) -> None:
    app = HexcoreApp(paths, Settings(), start_engine=False)
    async with app.run_test(size=(100, 60)) as pilot:
        await pilot.press("f6", "question_mark")
        await pilot.pause()
        text = screen_text(app)
        assert "Keys here" in text
        assert "Give this conversation another title." in text
        assert "Put this card's name into a question." not in text
        await pilot.press("f1")
        assert "Put this card's name into a question." in help_content(90).plain
        await pilot.press("escape")
        assert len(app.screen_stack) == 1


async def test_enter_starts_a_line_where_another_key_asks(make_app: MakeApp) -> None:
    app = make_app({"submit": "ctrl+enter"})
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press(*"moss", "enter", *"green?")
        assert app.chat._prompt.text == "moss\ngreen?"
        assert app.chat.turns == []
        await pilot.press("ctrl+enter")
        await pilot.pause()
        assert [turn.question for turn in app.chat.turns] == ["moss\ngreen?"]


async def test_what_the_screens_say_names_the_keys_in_use(make_app: MakeApp) -> None:
    keys = {"go_sessions": "f12", "stop_answer": "ctrl+x", "quit": "ctrl+y", "command_palette": ""}
    app = make_app(keys)
    async with app.run_test(size=(100, 30)):
        assert kept_line_words().endswith("of its own: F12.")
        assert stop_words() == "^X stops"
        assert too_small_words(Size(30, 9)).endswith("^Y quits.")
        assert "Ctrl+P" not in silent_words()
