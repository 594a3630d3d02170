"""Numbers of rules as people write them."""

from __future__ import annotations

import pytest

from hexcore_engine.knowledge.rules.numbers import parse_number


@pytest.mark.parametrize(
    "text",
    ["702.19b", "702.19B.", "[702.19b]", " CR 702.19b ", "rule 702.19b", "702.19b?", "702.19b;", "702.19b!"],
)
def test_a_number_is_read_whatever_stands_around_it(text: str) -> None:
    assert parse_number(text) == "702.19b"


@pytest.mark.parametrize("text", ["", "?", "702.19b and more", "trample", "702b", "702..19"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert parse_number(text) is None
