"""Sections and groups have a name of ours where no official file gives theirs."""

from __future__ import annotations

from hexcore_engine.knowledge.digest.loader import known_numbers, our_titles


def test_every_section_and_group_has_one_short_title() -> None:
    titles = our_titles()
    assert titles.keys() == {number for number in known_numbers() if "." not in number}
    assert all(0 < len(title) <= 40 for title in titles.values())
    assert len(set(titles.values())) == len(titles)
