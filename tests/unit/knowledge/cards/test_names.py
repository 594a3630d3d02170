"""Keys and distances of names, and name search over cards of our own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexcore_engine.knowledge.cards.names import letter_groups, name_key, spelling_distances
from hexcore_engine.knowledge.lookup import Knowledge
from tests.unit.knowledge.cards.own_cards import own_card, publish_own

WORDS = st.text(st.sampled_from("abc -'"), max_size=12)


def plain_distance(first: str, second: str) -> int:
    """The textbook table, written out as an independent oracle."""
    table = [[row + column for column in range(len(second) + 1)] for row in range(len(first) + 1)]
    for row in range(1, len(first) + 1):
        for column in range(1, len(second) + 1):
            same = first[row - 1] == second[column - 1]
            table[row][column] = min(
                table[row - 1][column] + 1,
                table[row][column - 1] + 1,
                table[row - 1][column - 1] + (not same),
            )
            if row > 1 and column > 1 and first[row - 2 : row] == second[column - 2 : column][::-1]:
                table[row][column] = min(table[row][column], table[row - 2][column - 2] + 1)
    return table[-1][-1]


@given(st.text(st.characters(max_codepoint=0x24F), max_size=40))
def test_a_key_is_its_own_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


@given(st.text(st.characters(max_codepoint=0x24F), max_size=40))
def test_case_and_outer_space_do_not_matter(name: str) -> None:
    assert name_key(f"  {name.upper()} ") == name_key(name.upper())


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Lim-Dûl's Lantern", "lim duls lantern"), ("Æther Ash", "aether ash"), ("Ash // Ember", "ash ember"),
        ("+2 Lantern", "2 lantern"), ("_____", "_____"), ("", ""), ("R&D", "r d"), ("Khaz꞉ad", "khazad"),
    ],
)  # fmt: skip
def test_keys(name: str, key: str) -> None:
    assert name_key(name) == key


@given(WORDS, WORDS, st.integers(0, 4))
def test_distances_agree_with_the_textbook_table(typed: str, key: str, most: int) -> None:
    whole, beginning = spelling_distances(typed, key, most)
    assert whole == min(plain_distance(typed, key), most + 1)
    nearest = min(plain_distance(typed, key[:end]) for end in range(len(key) + 1))
    assert beginning == min(nearest, most + 1)


def test_letter_groups_count_the_spaces_around_a_name() -> None:
    assert letter_groups("ash") == [" as", "ash", "sh "]


@pytest.fixture
def knowledge(tmp_path: Path) -> Knowledge:
    cards = [
        own_card("Ash Lantern"), own_card("Ash"), own_card("Fern Ash"), own_card("Brash Fern"),
        own_card("Ember // Ash", missing=("Ash",)), own_card("A-Ash", extra=True),
        own_card("Ash Moor", extra=True), own_card("Lone Plane", extra=True), own_card("Ash Lantern"),
    ]  # fmt: skip
    publish_own(tmp_path, cards)
    return Knowledge(tmp_path)


def names(knowledge: Knowledge, typed: str, limit: int = 20) -> list[str]:
    return [hit.name for hit in knowledge.complete_names(typed, limit)]


def test_lists_run_from_the_exact_name_to_letters_inside_a_word(knowledge: Knowledge) -> None:
    assert names(knowledge, "ash") == ["Ash", "Ember // Ash", "Ash Lantern", "Fern Ash", "Brash Fern"]
    assert names(knowledge, "ash", 2) == ["Ash", "Ember // Ash"]


def test_one_card_found_by_several_of_its_names_is_listed_once(knowledge: Knowledge) -> None:
    assert names(knowledge, "e") == ["Ember // Ash"]


def test_misspelt_names_are_found_only_when_nothing_is_spelt_so(knowledge: Knowledge) -> None:
    assert names(knowledge, "fren ahs")[0] == "Fern Ash"
    assert names(knowledge, "fern ahs")[0] == "Fern Ash"
    assert "Ash Lantern" not in names(knowledge, "fern as")


def test_extras_come_by_their_exact_name_or_when_nothing_else_matches(knowledge: Knowledge) -> None:
    assert names(knowledge, "lone") == ["Lone Plane"]
    assert names(knowledge, "ash moor")[0] == "Ash Moor"
    assert "Ash Moor" not in names(knowledge, "ash")


def test_a_full_name_is_preferred_to_the_name_of_a_face(knowledge: Knowledge) -> None:
    card = knowledge.card("ASH")
    assert card is not None
    assert card.name == "Ash"


@pytest.mark.parametrize(
    "typed", ["", " ", "-", "!", "%", "_", '"', "'", "\x00", "a" * 100_000, "ß\u202e", "*"]
)
def test_any_text_is_answered_without_a_failure(knowledge: Knowledge, typed: str) -> None:
    knowledge.complete_names(typed)
    found = knowledge.search_cards(typed)
    assert found.total >= len(found.hits)
    assert knowledge.card(typed) is None


@given(st.text(max_size=30))
def test_any_typed_text_is_answered(tmp_path_factory: pytest.TempPathFactory, typed: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "one-card"
    if not folder.exists():
        publish_own(folder, [own_card("Ash Lantern")])
    knowledge = Knowledge(folder)
    known = {"Ash Lantern"}
    assert {hit.name for hit in knowledge.complete_names(typed)} <= known
    found = knowledge.search_cards(typed)
    assert {hit.name for hit in found.hits} <= known
    assert found.total == len(found.hits)
    card = knowledge.card(typed)
    assert card is None or card.name in known
    knowledge.close()


def test_a_search_says_how_it_was_read_and_what_it_left_out(knowledge: Knowledge) -> None:
    found = knowledge.search_cards("fern c:g r:rare")
    assert [hit.name for hit in found.hits] == ["Fern Ash", "Brash Fern"]
    assert (found.total, found.reading) == (2, "fern c>=g")
    assert found.ignored[0].startswith("column 10: r:rare")
    assert knowledge.search_cards("t:elf").total == 0


def test_without_cards_there_is_nothing_to_find(tmp_path: Path) -> None:
    knowledge = Knowledge(tmp_path / "empty")
    assert knowledge.card("Ash") is None
    assert knowledge.complete_names("Ash") == ()
    assert knowledge.search_cards("Ash").total == 0
