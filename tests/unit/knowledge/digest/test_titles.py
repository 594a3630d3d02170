"""Sections, groups and keywords have a name where no official file gives theirs."""

from __future__ import annotations

from hexcore_engine.knowledge.digest.loader import known_numbers, our_titles


def test_every_section_and_group_has_one_short_title_and_keywords_have_theirs() -> None:
    titles = our_titles()
    assert titles.keys() <= known_numbers()
    assert {number for number in known_numbers() if "." not in number} <= titles.keys()
    assert {number[:3] for number in titles if "." in number} == {"701", "702"}
    assert titles["702.19"] == "Trample"
    assert all(0 < len(title) <= 40 for title in titles.values())
    groups = [title for number, title in titles.items() if "." not in number]
    assert len(set(groups)) == len(groups)
