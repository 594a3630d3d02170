from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.content import Content

from hexcore_engine.paths import Paths
from hexcore_tui.app import HexcoreApp
from hexcore_tui.messages import RuleRequested
from hexcore_tui.widgets.shared.document import Document, DocumentBuilder
from hexcore_tui.widgets.shared.linked_text import LinkedText
from hexcore_tui.widgets.shared.slices import LINES_A_FRAME
from hexcore_tui.widgets.shared.wrapped_lines import line_at, wrap_lines

from .conftest import screen_text

LINE_HEIGHT = 40


class TextApp(App[None]):
    """Shows one text, and keeps the rules its links asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.text = LinkedText()
        self.wishes: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.text

    def on_rule_requested(self, message: RuleRequested) -> None:
        self.wishes.append(message.number)


def numbered(count: int, word: str) -> Document:
    builder = DocumentBuilder()
    for index in range(count):
        builder.link(f"{word}{index}", "rule", f"{100 + index}")
        builder.end_line()
    return builder.build()


@given(st.text(st.sampled_from("ab c\n界é"), max_size=80), st.integers(4, 30))
def test_a_line_knows_where_in_the_text_it_stands(text: str, width: int) -> None:
    for line in wrap_lines(Content(text), width):
        shown = line.content.plain.rstrip()
        assert text[line.start :].startswith(shown)
        assert line.paragraph == text[: line.start].count("\n")
        assert line.column == line.start - (text.rfind("\n", 0, line.start) + 1)
        assert line.content.cell_length <= width


@given(st.text(st.sampled_from("ab c\n"), min_size=1, max_size=80), st.integers(4, 30))
def test_nothing_but_space_is_lost_by_wrapping(text: str, width: int) -> None:
    lines = wrap_lines(Content(text), width)
    assert "".join("".join(line.content.plain.split()) for line in lines) == "".join(text.split())


def test_a_character_is_found_in_the_line_that_shows_it() -> None:
    lines = wrap_lines(Content("one two three\nfour"), 8)
    assert [line.content.plain for line in lines] == ["one two", "three", "four"]
    assert [line_at(lines, offset) for offset in (0, 6, 8, 12, 14, 17)] == [0, 0, 1, 1, 2, 2]


async def test_a_text_longer_than_a_frame_is_painted_whole_and_a_shorter_one_leaves_nothing_of_it() -> None:
    app = TextApp()
    async with app.run_test(size=(40, LINE_HEIGHT)) as pilot:
        app.text.show_document(numbered(LINES_A_FRAME * 2 + 5, "old"))
        await pilot.pause(0.2)
        assert f"old{LINES_A_FRAME * 2 + 4}" in screen_text(app)  # type: ignore[arg-type]
        app.text.show_document(numbered(3, "new"))
        await pilot.pause(0.2)
        shown = screen_text(app)  # type: ignore[arg-type]
        assert "new2" in shown
        assert "old" not in shown


async def test_the_keys_reach_a_link_far_below_and_open_it() -> None:
    app = TextApp()
    async with app.run_test(size=(40, 10)) as pilot:
        app.text.show_document(numbered(30, "rule"))
        app.text.focus()
        await pilot.press(*["tab"] * 25)
        await pilot.pause()
        assert "rule24" in screen_text(app)  # type: ignore[arg-type]
        await pilot.press("enter")
        await pilot.pause()
        assert app.wishes == ["124"]


async def test_a_click_on_a_link_in_sight_opens_it_after_scrolling() -> None:
    app = TextApp()
    async with app.run_test(size=(40, 10)) as pilot:
        app.text.show_document(numbered(30, "rule"))
        app.text.scroll_to(y=7, animate=False)
        await pilot.pause()
        await pilot.click(LinkedText, offset=(2, 3))
        await pilot.pause()
        assert app.wishes == ["110"]


async def test_the_mouse_marks_text_across_lines_and_the_terminal_gets_it() -> None:
    app = TextApp()
    async with app.run_test(size=(30, 10)) as pilot:
        app.text.show_document(Document(Content("first line here\nsecond line here")))
        await pilot.pause()
        await pilot.mouse_down(LinkedText, offset=(7, 0))
        await pilot.hover(LinkedText, offset=(7, 1))
        await pilot.mouse_up(LinkedText, offset=(7, 1))
        await pilot.pause()
        assert app.screen.get_selected_text() == "line here\nsecond "


async def test_another_width_wraps_the_text_anew() -> None:
    app = TextApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.text.show_document(Document(Content("wide words " * 12)))
        await pilot.pause()
        before = app.text.virtual_size.height
        await pilot.resize_terminal(30, 10)
        await pilot.pause()
        assert app.text.virtual_size.height > before


async def test_the_first_frame_says_that_nothing_is_set_up(
    make_app: Callable[[], HexcoreApp], paths: Paths
) -> None:
    assert not paths.knowledge_dir.exists()
    assert any("hexcore setup" in line for line in make_app().missing)
