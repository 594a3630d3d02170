from __future__ import annotations

import pytest
from textual.content import Content

from hexcore_engine.protocol.records import Citation
from hexcore_tui.widgets.chat.marks import MARKS, first_of_each
from hexcore_tui.widgets.chat.markup import Block, render_block, split_blocks, whole_part
from hexcore_tui.widgets.chat.tables import table_contents


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


def test_code_with_blank_lines_and_a_table_below_a_line_are_blocks_of_their_own() -> None:
    text = "Look:\n| a | b |\n|---|---|\n| 1 | 2 |\nthen\n```\nx\n\ny\n```\nend"
    blocks = split_blocks(text)
    assert [block.kind for block in blocks] == ["text", "table", "text", "code", "text"]
    assert [block.text for block in blocks][3] == "```\nx\n\ny\n```"
    for block in blocks:
        assert text[block.start : block.end] == block.text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("A paragraph grow", "A paragraph grow"),
        ("- one\n- tw", "- one\n"),
        ("1. one\n2", "1. one\n2"),
        ("1. one\n2. t", "1. one\n"),
        ("| a | b |\n| 1", ""),
        ("```\nhalf", ""),
        ("```\nwhole\n```", "```\nwhole\n```"),
    ],
)
def test_tables_code_and_items_are_shown_once_they_are_whole(written: str, shown: str) -> None:
    assert whole_part(Block(0, written))[0].text == shown


def test_a_table_stands_in_columns_or_one_cell_after_the_other() -> None:
    wide, narrow = table_contents(
        Content("| step | who |\n|:--|--:|\n| one | active player |\n| two | you |")
    )
    assert wide.plain == "step  who\none   active player\ntwo   you"
    assert narrow.plain == "• step: one\n  who: active player\n• step: two\n  who: you"
