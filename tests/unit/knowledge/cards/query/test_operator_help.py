from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hexcore_engine.data.demo import CARDS
from hexcore_engine.knowledge.cards.columns import CardColumns
from hexcore_engine.knowledge.cards.query.absent import VIEW_FIELDS
from hexcore_engine.knowledge.cards.query.compiler import _STEERING_FIELDS, _leaf_compilers
from hexcore_engine.knowledge.cards.query.operator_help import OPERATOR_HELP, is_plain, operator_help
from hexcore_engine.knowledge.cards.records import CardsSource
from hexcore_engine.knowledge.cards.schema import write_cards
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.store.builder import import_lock, publish_cards


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    folder: Path = tmp_path_factory.mktemp("cards")
    with import_lock(folder):
        source = CardsSource("invented for the test", "2026-01-01", len(CARDS))
        publish_cards(folder, lambda connection: write_cards(connection, CARDS, source))
    return Knowledge(folder)


def test_every_operator_and_nothing_else_has_its_line_of_help(knowledge: Knowledge) -> None:
    with knowledge._reader.query() as connection:
        assert isinstance(connection, sqlite3.Connection)
        known = set(_leaf_compilers(CardColumns(connection), ())) - {""}
    assert known | (_STEERING_FIELDS - VIEW_FIELDS) == set(OPERATOR_HELP)


@pytest.mark.parametrize(
    ("query", "cursor", "begins"),
    [
        ("t:elf", 1, "t  type line"),
        ("t:elf", 5, "t  type line"),
        ("t:elf ", 6, ""),
        ("goblin t:elf mv>=3", 18, "mv  mana value"),
        ("-(id:uw or c:g)", 13, "c  colours"),
        ("moss otter", 4, ""),
        ('!"Moss Otter"', 3, "!"),
        ("nosuch:thing", 5, ""),
        ("", 0, ""),
    ],
)
def test_help_is_for_the_operator_under_the_cursor(query: str, cursor: int, begins: str) -> None:
    words = operator_help(query, cursor)
    assert words.startswith(begins)
    assert bool(words) == bool(begins)


@pytest.mark.parametrize("query", ["moss otter", "lim-dul", "Fire // Ice", "kill!", "this or that", ""])
def test_names_are_plain(query: str) -> None:
    assert is_plain(query)


@pytest.mark.parametrize("query", ["t:elf", "!moss", '"moss otter"', "(moss)", "-moss", "pow>2 otter"])
def test_queries_are_not_plain(query: str) -> None:
    assert not is_plain(query)


def test_words_find_beginnings_of_names_and_operators_find_cards(knowledge: Knowledge) -> None:
    name = CARDS[0].name
    beginning = name[: len(name) // 2]
    assert knowledge.find_cards(beginning).hits == knowledge.complete_names(beginning, 50)
    assert knowledge.find_cards("t:creature").hits == knowledge.search_cards("t:creature").hits
    assert knowledge.find_cards("t:creature pow>").ignored


def test_words_no_name_holds_are_read_as_a_query(knowledge: Knowledge) -> None:
    found = knowledge.find_cards("creatures with trample")
    assert found.reading == "t:creature kw:trample"
    assert found.hits
