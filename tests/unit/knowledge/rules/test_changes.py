"""What changed between releases: rules are followed by what they say, not by their numbers."""

from __future__ import annotations

import sqlite3
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexcore_engine.errors import KnowledgeOutdatedError
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.rules.changes import RuleTexts, compare, word_changes
from hexcore_engine.knowledge.rules.matching import match_rules
from hexcore_engine.knowledge.rules.parser import parse_rules_file
from hexcore_engine.knowledge.rules.release import import_rules_file
from hexcore_engine.knowledge.store.pointer import read_pointer
from tests.unit.knowledge.rules.own_release import WORDS, own_editions
from tests.unit.knowledge.rules.test_real_releases import FILES, FOLDER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in own_editions().items():
        file = tmp_path / f"{name}.txt"
        file.write_bytes(content)
        import_rules_file(tmp_path / "knowledge", file)
    return tmp_path / "knowledge"


def test_added_removed_changed_and_moved_are_told_apart(folder: Path) -> None:
    knowledge = Knowledge(folder)
    changes = knowledge.changes("2025-01-01", "2025-02-01")
    knowledge.close()
    assert changes is not None
    assert [rule.rule for rule in changes.added] == ["100.2"]
    assert [rule.rule for rule in changes.removed] == ["100.4", "100.5"]
    assert [(rule.old, rule.new) for rule in changes.moved] == [
        ("100.2", "100.3"),
        ("100.3", "100.4"),
        ("100.6", "100.5"),
    ]
    assert [(rule.rule, rule.numbers_only) for rule in changes.changed] == [
        ("100.1", False),
        ("100.1a", True),
    ]
    assert [(word.kind, word.text) for word in changes.changed[0].words if word.kind != "kept"] == [
        ("added", "small ")
    ]
    assert changes.moved[2].numbers_only
    assert not changes.moved[0].words
    assert [(term.term, term.kind) for term in changes.glossary] == [("Kettle", "changed")]


def test_a_release_does_not_differ_from_itself(folder: Path) -> None:
    knowledge = Knowledge(folder)
    changes = knowledge.changes("2025-02-01", "2025-02-01")
    assert changes is not None
    assert [changes.added, changes.removed, changes.changed, changes.moved, changes.glossary] == [()] * 5
    assert knowledge.changes("2025-02-01", "1999-01-01") is None
    knowledge.close()


def test_a_number_unknown_today_and_one_used_otherwise_lead_to_their_rules_of_today(folder: Path) -> None:
    knowledge = Knowledge(folder)
    moved = knowledge.move("100.6")
    assert moved is not None
    assert (moved.release, moved.today, moved.today_release) == ("2025-01-01", "100.5", "2025-02-01")
    assert "whistles" in moved.text
    used_otherwise = knowledge.move("100.2")
    assert used_otherwise is not None
    assert used_otherwise.today == "100.3"
    gone = knowledge.move("100.4", "2025-01-01")
    assert gone is not None
    assert gone.today is None
    assert knowledge.move("100.1") is None
    assert knowledge.move("100.99") is None
    assert knowledge.move("no number") is None
    knowledge.close()


def test_an_older_release_of_another_form_does_not_keep_a_rule_from_being_read(folder: Path) -> None:
    pointer = read_pointer(folder)
    assert pointer is not None
    (old,) = [entry for entry in pointer.releases if entry.key == "2025-01-01"]
    connection = sqlite3.connect(folder / old.file)
    connection.execute("UPDATE meta SET value = '0' WHERE name = 'schema'")
    connection.commit()
    connection.close()
    knowledge = Knowledge(folder)
    assert knowledge.move("100.6") is None
    assert knowledge.rule("100.5") is not None
    with pytest.raises(KnowledgeOutdatedError):
        knowledge.changes("2025-01-01", "2025-02-01")
    knowledge.close()


def test_each_release_can_be_read_by_its_key(folder: Path) -> None:
    old = Knowledge(folder, "2025-01-01")
    view = old.rule("100.6")
    assert view is not None
    assert view.release.effective == "2025-01-01"
    assert old.search_rules("buttons")
    old.close()
    gone = Knowledge(folder, "1999-01-01")
    assert gone.rule("100.1") is None
    assert gone.release() is None
    gone.close()


def test_equal_texts_under_two_parents_stay_under_them() -> None:
    old = {"100.1": "Ferry song.", "100.1a": "Once only.", "100.2": "Kettle song.", "100.2a": "Once only."}
    new = {
        "100.1": "A thimble.", "100.2": "Ferry song.", "100.2a": "Once only.", "100.3": "Kettle song.",
        "100.3a": "Once only.",
    }  # fmt: skip
    assert match_rules(old, new) == {
        "100.1": "100.2",
        "100.1a": "100.2a",
        "100.2": "100.3",
        "100.2a": "100.3a",
    }


def test_a_rule_that_only_shares_its_number_is_another_rule() -> None:
    old = RuleTexts("a", {"100.1": "Ferries leave at noon."}, {})
    new = RuleTexts("b", {"100.1": "Thimbles protect every thumb in the orchard."}, {})
    changes = compare(old, new)
    assert [rule.rule for rule in changes.added] == ["100.1"]
    assert [rule.rule for rule in changes.removed] == ["100.1"]


@given(old=st.text(max_size=80), new=st.text(max_size=80))
@settings(deadline=None)
def test_changed_words_give_both_texts_back(old: str, new: str) -> None:
    words = word_changes(old, new)
    if old != new:
        assert "".join(word.text for word in words if word.kind != "added") == old
        assert "".join(word.text for word in words if word.kind != "removed") == new


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_rules_put_in_anywhere_move_the_others_along(data: st.DataObject) -> None:
    sentences = [
        f"The {a} of the {b} is a {c}." for a, b, c in zip(WORDS, WORDS[3:], WORDS[6:], strict=False)
    ]
    old = {f"100.{number}": text for number, text in enumerate(sentences, 1)}
    place = data.draw(st.integers(0, len(sentences)))
    longer = [*sentences[:place], "Zebras sing loudly at dawn.", *sentences[place:]]
    new = {f"100.{number}": text for number, text in enumerate(longer, 1)}
    assert match_rules(old, new) == {
        f"100.{number}": f"100.{number + (number > place)}" for number in range(1, len(sentences) + 1)
    }


@pytest.mark.skipif(len(FILES) < 2, reason=f"fewer than two official rules files in {FOLDER}")
def test_every_text_that_stands_once_in_both_official_releases_is_followed() -> None:
    books = [{rule.number: rule.text for rule in parse_rules_file(file).rules} for file in FILES]
    for old, new in pairwise(books):
        found = match_rules(old, new)
        once = {text for text, count in Counter(old.values()).items() if count == 1}
        counts = Counter(new.values())
        places = {text: number for number, text in new.items() if counts[text] == 1}
        followed = {number: places[text] for number, text in old.items() if text in once and text in places}
        assert len(followed) > 1000
        assert followed.items() <= found.items()
