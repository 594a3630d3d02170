"""Lines of a text: nothing is lost, and each knows where it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.content import Content

from hexcore_tui.widgets.shared.wrapped_lines import line_at, wrap_lines

# Letters of one and of two cells, an accent of none, spaces, tabs and line ends.
TEXTS = st.text("ab界e\u0301 \t\n", max_size=40)


@given(TEXTS, st.integers(1, 20))
def test_every_line_stands_where_it_says_and_fits(text: str, width: int) -> None:
    lines = wrap_lines(Content(text), width)
    shown = text.replace("\t", " ")
    for line in lines:
        assert shown[line.start : line.start + len(line.content.plain)] == line.content.plain
        assert cell_len(line.content.plain) <= max(2, width)
        assert line.paragraph == text[: line.start].count("\n")
    assert "".join("".join(line.content.plain.split()) for line in lines) == "".join(text.split())
    assert [line.start for line in lines] == sorted(line.start for line in lines)


@given(TEXTS.filter(str.strip), st.integers(4, 20))
def test_a_line_without_a_letter_is_never_put_before_the_first_word(text: str, width: int) -> None:
    first = wrap_lines(Content(text.lstrip("\n")), width)[0]
    assert first.content.plain.strip() or not text.lstrip("\n").split("\n")[0].strip()


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("    a lantern glows", 12, ["    a", "lantern", "glows"]),
        ("  a\n    b", 12, ["  a", "    b"]),
        ("          a", 4, ["   a"]),
        ("          lantern", 4, ["lant", "ern"]),
        ("a lantern", 4, ["a", "lant", "ern"]),
        ("a     b", 3, ["a", "b"]),
        ("界界界", 5, ["界界", "界"]),
        ("", 9, [""]),
        ("a\tb", 9, ["a b"]),
    ],
)
def test_leading_spaces_stay_as_far_as_the_word_leaves_room(text: str, width: int, lines: list[str]) -> None:
    assert [line.content.plain for line in wrap_lines(Content(text), width)] == lines


def test_a_place_in_the_text_is_found_in_its_line() -> None:
    text = "   a lantern glows"
    lines = wrap_lines(Content(text), 9)
    assert lines[line_at(lines, text.index("lantern"))].content.plain == "lantern"
    assert lines[line_at(lines, text.index("glows"))].content.plain == "glows"


def test_styles_stay_with_their_words() -> None:
    lines = wrap_lines(Content("one two").stylize("bold", 4, 7), 4)
    assert [[(span.start, span.end) for span in line.content.spans] for line in lines] == [[], [(0, 3)]]
