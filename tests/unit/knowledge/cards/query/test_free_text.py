"""Ordinary words are read as a query that is shown and may be edited."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hexcore_engine.knowledge.cards.query.regex_search import Expression, RegexBudget
from hexcore_engine.knowledge.lookup import Knowledge
from tests.unit.knowledge.cards.own_cards import publish_own
from tests.unit.knowledge.cards.query.conftest import Search
from tests.unit.knowledge.cards.query.meadow import card, face


@pytest.mark.parametrize(
    ("words", "reading", "names"),
    [
        ("green creatures with trample", "c>=g t:creature kw:trample", ["Moss Otter Elder"]),
        ("white legendary flying wizards", "c>=w t:legendary kw:flying t:wizard", ["Bell, the Quiet"]),
        ("green vanilla creature", "c>=g is:vanilla t:creature", ["Moss Otter"]),
        ("2/2 green creature", "pow=2 tou=2 c>=g t:creature", ["Moss Otter"]),
        ("creature with power 4 or greater", "pow>=4 t:creature",
         ["Caterpillar // Night Moth", "Moss Otter Elder"]),
        ("mono-red creature", "c=r t:creature", ["Ember Fox"]),
        ("otter shaman draws", None, None),
        ("foxes t:creature", None, None),
        ("blue creature c:w", "c>=u t:creature c>=w", ["Bell, the Quiet"]),
    ],
)  # fmt: skip
def test_words_of_the_game_become_terms(
    search: Search, words: str, reading: str | None, names: list[str] | None
) -> None:
    found = search(words)
    if reading is not None:
        assert found.reading == reading
        assert [hit.name for hit in found.hits] == names
        assert "read as" in " ".join(found.notes)
    else:
        assert found.total >= 0


def test_data_that_words_ask_for_and_is_not_loaded_is_told(search: Search) -> None:
    found = search("modern rare green vanilla creature")
    assert found.reading == "c>=g is:vanilla t:creature"
    assert [hit.name for hit in found.hits] == ["Moss Otter"]
    assert len(found.ignored) == 2


def test_a_misspelt_name_is_found_before_its_words_are_read_otherwise(search: Search) -> None:
    found = search("mos oter")
    assert found.hits[0].name == "Moss Otter"
    assert "spelt nearly so" in found.notes[0]


def test_words_found_in_names_come_with_the_query_for_what_they_mean(search: Search) -> None:
    found = search("otter")
    assert found.total == 2
    assert any(note.endswith("t:otter") for note in found.notes)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('o:"or more foxes"', ["Fox Parade"]),
        ('o:"power 4 or greater"', ["Tall Gate"]),
        ("o:/power 4 or greater/", ["Tall Gate"]),
        ("pow=4 or greater", ["Greater Fox", "Tall Gate"]),
        ("t:wall or o:foxes", ["Fox Parade", "Tall Gate"]),
        ("walls with power 4 or more, please", ["Tall Gate"]),
        ("power 3 or less", ["Greater Fox"]),
    ],
)
def test_an_amount_is_joined_where_its_words_stand_bare_and_nowhere_else(
    tmp_path: Path, query: str, names: list[str]
) -> None:
    cards = [
        card(face("Tall Gate", "{4}", "Creature — Wall", "Please stop foxes of power 4 or greater.", "4/9")),
        card(face("Fox Parade", "{R}", "Sorcery", "Call two or more foxes.")),
        card(face("Greater Fox", "{1}{R}", "Creature — Fox", "It barks.", "2/2")),
    ]
    publish_own(tmp_path, cards)
    knowledge = Knowledge(tmp_path)
    found = knowledge.search_cards(query)
    knowledge.close()
    assert found.ignored == ()
    assert sorted(hit.name for hit in found.hits) == names


def test_the_columns_after_an_amount_in_words_are_those_typed(search: Search) -> None:
    found = search("power 4  or  greater t:otter x:y")
    assert found.ignored[0].startswith("column 30: x:y")


@pytest.mark.parametrize(
    ("query", "ignored"),
    [
        ("white flying creature c:purple", ["column 23: c:purple: "]),
        ("c:purple white flying creature x:y", ["column 1: c:purple: ", "column 32: x:y: "]),
        ("modern white flying creature", ["in the reading: f:modern: "]),
        ("white flying creature rare f:modern", ["column 28: f:modern: ", "in the reading: r:rare: "]),
    ],
)
def test_a_term_left_out_is_named_once_with_its_column_in_what_was_typed(
    search: Search, query: str, ignored: list[str]
) -> None:
    found = search(query)
    assert [hit.name for hit in found.hits] == ["Bell, the Quiet"]
    assert len(found.ignored) == len(ignored)
    assert all(term.startswith(begin) for term, begin in zip(found.ignored, ignored, strict=True))


def test_words_read_otherwise_are_looked_for_once_in_what_time_the_query_has_left(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets = []
    look = RegexBudget.search

    def counted(budget: RegexBudget, expression: Expression, texts: Sequence[str]) -> bytes:
        budgets.append(budget)
        return look(budget, expression, texts)

    monkeypatch.setattr(RegexBudget, "search", counted)
    search("burn o:/./")
    assert len(budgets) == 3
    assert len({id(budget) for budget in budgets}) == 1
