"""Entries are found again in a release whose numbers or texts differ from those they were written for."""

from __future__ import annotations

from hexcore_engine.knowledge.digest.loader import DigestEntry, load_digest
from hexcore_engine.knowledge.digest.placement import place_entries, rule_fingerprint, stale_entries

SOUP = "A cook may stir the soup once. See rule 900.2."
SALT = "Salt is added before the lid is shut."


def entry(rule: str, text: str) -> DigestEntry:
    return DigestEntry(rule=rule, plain=f"about {rule}", fingerprint=rule_fingerprint(text))


def test_the_fingerprint_does_not_see_case_punctuation_or_renumbered_references() -> None:
    assert rule_fingerprint(SOUP) == rule_fingerprint("a cook may stir the  soup once (see rule 900.3b)")
    assert rule_fingerprint(SOUP) != rule_fingerprint(SOUP.replace("once", "twice"))


def test_an_entry_stays_with_a_rule_that_reads_as_before() -> None:
    ours = [entry("900.1", SOUP)]
    placement = place_entries({"900.1": SOUP, "900.2": SALT}, ours)
    assert placement.entries == {"900.1": ours[0]}
    assert not placement.moved
    assert not placement.stale


def test_an_entry_follows_its_rule_to_another_number() -> None:
    ours = [entry("900.1", SOUP), entry("900.2", SALT)]
    placement = place_entries({"900.1": "Wash your hands.", "900.2": SOUP, "900.3": SALT}, ours)
    assert placement.moved == {"900.1": "900.2", "900.2": "900.3"}
    assert placement.entries == {"900.2": ours[0], "900.3": ours[1]}


def test_an_entry_whose_rule_reads_otherwise_is_stale_and_stays() -> None:
    ours = [entry("900.1", SOUP)]
    placement = place_entries({"900.1": SOUP.replace("once", "twice")}, ours)
    assert placement.stale == ("900.1",)
    assert placement.entries == {"900.1": ours[0]}


def test_a_stale_entry_gives_way_to_one_that_moved_there_and_leaves_with_its_number() -> None:
    ours = [entry("900.1", SOUP), entry("900.2", SALT), entry("900.3", "Nothing burns.")]
    placement = place_entries({"900.1": "Wash your hands.", "900.2": SOUP}, ours)
    assert placement.entries == {"900.2": ours[0]}
    assert placement.stale == ("900.2", "900.3")


def test_a_text_that_stands_under_two_numbers_moves_nothing() -> None:
    placement = place_entries({"900.5": SOUP, "900.6": SOUP}, [entry("900.1", SOUP)])
    assert placement.stale == ("900.1",)


def test_all_entries_are_stale_in_rules_of_another_game() -> None:
    assert stale_entries({"100.1": SOUP}) == tuple(load_digest())
