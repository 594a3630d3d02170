from __future__ import annotations

import pytest

from hexcore_engine.protocol.records import Citation
from hexcore_tui.widgets.chat.marks import MARKS, first_of_each
from hexcore_tui.widgets.chat.markup import Block, render_block, split_blocks


def _plain(text: str, *citations: Citation, first: frozenset[int] = frozenset()) -> str:
    return render_block(Block(0, text), citations, first, plain=False).plain.replace("\u00a0", " ")


def test_blocks_are_cut_at_blank_lines_and_keep_their_offsets() -> None:
    text = "one\ntwo\n\n\n  three\n \nfour"
    assert split_blocks(text) == [Block(0, "one\ntwo"), Block(10, "  three"), Block(20, "four")]
    for block in split_blocks(text):
        assert text[block.start :].startswith(block.text)


def test_a_longer_text_leaves_its_earlier_blocks_alone() -> None:
    text = "# Head\n\nfirst **bold** words\n\n- item one\n- item two\n\nlast"
    whole = split_blocks(text)
    for cut in range(len(text)):
        finished = split_blocks(text[:cut])[:-1]
        assert whole[: len(finished)] == finished


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("**bold** and *em* and `code`", "bold and em and code"),
        ("## Heading", "Heading"),
        ("- item\n* other", "• item\n• other"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("snake_case_name", "snake_case_name"),
        ("[red]not[/red] [link=http://x]x[/link]", "[red]not[/red] [link=http://x]x[/link]"),
        ("[click](http://example.com) <b>x</b>", "[click](http://example.com) <b>x</b>"),
        ("$x @click=app.quit()", "$x @click=app.quit()"),
    ],
)
def test_simple_markdown_becomes_style_and_everything_else_stays_text(written: str, shown: str) -> None:
    assert _plain(written) == shown


def test_code_blocks_are_left_as_they_are() -> None:
    assert _plain("```\n**x**\n```") == "```\n**x**\n```"


def test_each_rule_number_carries_its_mark_inside_its_brackets() -> None:
    text = "See [702.19b] and 510.1c."
    citations = (Citation("702.19b", True, "quoted", 4, 13), Citation("510.1c", False, "unknown", 18, 24))
    spelt_out = _plain(text, *citations, first=frozenset({4, 18}))
    assert spelt_out == "See [702.19b ❝ quoted] and 510.1c (✗ unknown)."
    assert _plain(text, *citations) == "See [702.19b ❝] and 510.1c (✗)."


def test_a_mark_survives_bold_around_it() -> None:
    text = "**Yes [702.19b]** so"
    assert _plain(text, Citation("702.19b", True, "retrieved", 6, 15)) == "Yes [702.19b ≡] so"


def test_no_mark_claims_that_anything_was_verified() -> None:
    for mark in MARKS.values():
        assert "verif" not in f"{mark.word} {mark.meaning}".lower()


def test_a_rule_cited_twice_the_same_way_is_listed_once() -> None:
    citations = (
        Citation("1.1", True, "quoted", 20, 25),
        Citation("1.1", True, "quoted", 0, 5),
        Citation("1.1", True, "retrieved", 40, 45),
    )
    assert [citation.start for citation in first_of_each(citations)] == [0, 40]
