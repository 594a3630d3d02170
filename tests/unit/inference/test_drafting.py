from __future__ import annotations

from hexcore_engine.inference.drafting import PromptLookup


def test_what_followed_before_is_drafted() -> None:
    lookup = PromptLookup([1, 2, 3, 4, 5, 6, 9])
    lookup.add(2)
    lookup.add(3)
    assert lookup.draft(2) == [4, 5]


def test_nothing_is_drafted_for_tokens_never_seen_together() -> None:
    lookup = PromptLookup([1, 2, 3])
    lookup.add(1)
    assert lookup.draft() == []


def test_the_newest_place_counts() -> None:
    lookup = PromptLookup([1, 2, 7, 1, 2, 8, 0])
    lookup.add(1)
    lookup.add(2)
    assert lookup.draft(1) == [8]
