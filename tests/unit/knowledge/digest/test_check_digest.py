"""The check of the digest names what is wrong with an entry."""

from __future__ import annotations

import pytest

from hexcore_engine.knowledge.digest.loader import DigestEntry
from scripts import check_digest

GOOD = DigestEntry(
    rule="702.19b",
    plain="What is left over goes on to whoever is attacked.",
    said=("runs over the blocker",),
    oracle=("tramples over",),
    asks=("does the rest hit me",),
    fingerprint="0123abcd",
)


def changed(**fields: object) -> DigestEntry:
    return DigestEntry(**{name: getattr(GOOD, name) for name in GOOD.__struct_fields__} | fields)


def test_a_sound_entry_has_no_problem() -> None:
    assert list(check_digest.shape_problems("702", GOOD)) == []


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (changed(rule="702.999z"), "no such rule"),
        (changed(rule="509.1h"), "stands in 702.jsonl"),
        (changed(plain="word " * 41), "plain has 41 words"),
        (changed(plain=" "), "plain has 0 words"),
        (changed(said=("chump", "Chump ")), "said holds something empty or twice"),
        (changed(asks=("",)), "asks holds something empty or twice"),
        (changed(oracle=("one two three four five six seven eight",)), "pattern too long"),
    ],
)
def test_what_is_wrong_with_an_entry_is_named(entry: DigestEntry, problem: str) -> None:
    assert any(problem in found for found in check_digest.shape_problems("702", entry))


def test_a_rule_or_a_question_that_stands_there_twice_is_named() -> None:
    again = changed(rule="702.19c", plain="Something else.", asks=("Does the rest hit me?",))
    assert list(check_digest.repeated([GOOD, again])) == ["stands in the digest twice: does the rest hit me"]
    found = list(check_digest.repeated([GOOD, changed(plain="Other words.", asks=())]))
    assert found == ["702.19b: has 2 entries"]


def test_an_entry_without_a_fingerprint_is_named() -> None:
    assert "has no fingerprint" in next(check_digest.fingerprint_problems([changed(fingerprint="")]))


def test_copied_words_are_found_whatever_their_case_and_punctuation() -> None:
    known = check_digest.runs("A cook may stir the soup once.", 4)
    assert check_digest.runs("they say: a COOK may, stir", 4) & known
    assert not check_digest.runs("a cook might stir the pot", 4) & known
