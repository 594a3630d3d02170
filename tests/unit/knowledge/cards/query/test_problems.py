"""What can't be answered is named with its column; nothing crashes or finds all cards by mistake."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexcore_engine.errors import KnowledgeCorruptError
from hexcore_engine.knowledge.lookup import Knowledge
from tests.unit.knowledge.cards.own_cards import publish_own
from tests.unit.knowledge.cards.query.conftest import Search
from tests.unit.knowledge.cards.query.meadow import MEADOW

UNREADABLE = {
    "": "empty",
    "   ": "empty",
    "-": "right before a term",
    "!": "no name",
    "t:": "needs a value",
    "c:purple": "no colour",
    "c:gc": "colourless",
    "mv>=abc": "no number",
    "pow>*": "takes = or !=",
    "m:qq": "no mana symbol",
    "devotion:3": "no coloured mana",
    "o:/[/": "never closed",
    "o:/(/": "can't be read",
    "o:/a": "no closing /",
    '"moss': "no closing quote",
    r"o:/(a)\1/": "back references",
    "o:/(?i)a/": "flags",
    "o:/a{1000}/": "repetitions",
    r"o:/\q/": "is not known",
    "o://": "needs a value",
    "name:/~/": "texts alone",
    "t:/~ x/": "texts alone",
    "o>hum": "takes : only",
    "any!=hum": "takes : only",
    "*>hum": "takes : only",
    "-include:extras": "can't be negated",
    "-(direction:desc)": "can't be negated",
    "--order:mv": "can't be negated",
    "-unique:prints": "can't be negated",
    "-++": "can't be negated",
    "is:foo": "no trait",
    "has:legs": "indicator only",
    "moos:otter": "no field moos",
    "order:hat": "no order",
    "direction:up": "asc or desc",
    "include:all": "extras only",
    ")": "no ( opens it",
    "()": "nothing stands",
    "or": "both sides",
}


@pytest.mark.parametrize(("query", "reason"), UNREADABLE.items(), ids=list(UNREADABLE))
def test_a_query_that_cannot_be_read_says_why(search: Search, query: str, reason: str) -> None:
    found = search(query)
    assert found.error is not None
    assert reason in found.error.message
    assert (found.hits, found.total) == ((), 0)


@pytest.mark.parametrize(
    "query",
    ["f:modern", "banned:legacy", "r:rare", "e:abc", "usd>=1", "a:someone", "is:reprint",
     "is:reserved", "has:indicator", "otag:removal", "year>2000", "lang:any", "order:rarity",
     "-f:modern", "(r:rare or s:abc)"],
)  # fmt: skip
def test_data_that_is_not_loaded_is_an_error_never_an_answer(search: Search, query: str) -> None:
    found = search(query)
    assert found.error is not None
    assert found.error.code == "HX-KNOWLEDGE"
    assert len(found.ignored) == (2 if "or s:" in query else 1)


@pytest.mark.parametrize("query", ["def=5", "defense>=1", "pow<def", "-def=5"])
def test_the_defense_of_battles_is_asked_for_in_vain_where_no_card_tells_it(
    tmp_path: Path, query: str
) -> None:
    publish_own(tmp_path, [card for card in MEADOW if all(face.defense is None for face in card.faces)])
    knowledge = Knowledge(tmp_path)
    found = knowledge.search_cards(query)
    knowledge.close()
    assert found.error is not None
    assert found.error.code == "HX-KNOWLEDGE"
    assert "defense" in found.error.message


@pytest.mark.parametrize(
    ("query", "reading", "column"),
    [
        ("t:otter c:purple", "t:otter", 9),
        ("c:purple t:otter", "t:otter", 1),
        ("t:otter -(f:modern)", "t:otter", 11),
        ("t:otter (r:rare or is:foo)", "t:otter", 10),
        ("(t:otter", "t:otter", 1),
        ("t:otter)", "t:otter", 8),
        ("t:otter -", "t:otter", 9),
        ("  t:otter   x:y", "t:otter", 13),
        ("t:otter or", "t:otter", 9),
    ],
)
def test_the_rest_of_a_query_is_answered_and_the_column_of_what_was_ignored_is_told(
    search: Search, query: str, reading: str, column: int
) -> None:
    found = search(query)
    assert (found.error, found.total, found.reading) == (None, 2, reading)
    assert any(term.startswith(f"column {column}: ") for term in found.ignored)


def test_a_colon_in_a_name_is_no_field(search: Search) -> None:
    assert [hit.name for hit in search("moss: otter").hits] == ["Moss Otter", "Moss Otter Elder"]


def test_fields_that_steer_a_web_page_are_accepted_and_said_to_do_nothing(search: Search) -> None:
    for query in ("t:otter unique:prints display:grid", "++ t:otter @@"):
        found = search(query)
        assert (found.total, found.ignored, found.reading) == (2, (), "t:otter")
        assert [note.split(" changes")[0] for note in found.notes] == [
            f"{word}:" for word in query.split() if word != "t:otter"
        ]


def test_a_negated_term_that_steers_the_list_steers_it_not(search: Search) -> None:
    assert "The Great Pond" not in [hit.name for hit in search("-include:extras -t:otter").hits]
    names = [hit.name for hit in search("t:otter -direction:desc").hits]
    assert names == ["Moss Otter", "Moss Otter Elder"]
    assert search("t:otter -direction:desc").ignored[0].startswith("column 10: direction:desc: ")


@pytest.mark.parametrize("query", ["-t:otter -t:plane", "-t:otter -is:token", "-t:otter not:token"])
def test_a_kind_of_extra_that_is_not_wanted_shows_no_extras(search: Search, query: str) -> None:
    assert "The Great Pond" not in [hit.name for hit in search(query).hits]


def test_a_query_that_is_too_long_or_too_deep_is_cut_and_says_so(search: Search) -> None:
    long = search("t:otter " + "x" * 5000)
    assert any("only the first" in term for term in long.ignored)
    deep = search("t:otter " + "(" * 400 + "t:fox" + ")" * 400)
    assert any("levels deep" in term for term in deep.ignored)
    assert search("-" * 900 + "t:fox").total <= len(MEADOW)


@given(st.text(alphabet=st.sampled_from("abot:=<>!-()/\\\"' {}[]*+?.|^$~,1é\n"), max_size=40))
def test_whatever_is_typed_is_answered(tmp_path_factory: pytest.TempPathFactory, query: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "typed-meadow"
    if not folder.exists():
        publish_own(folder, MEADOW)
    knowledge = Knowledge(Path(folder))
    found = knowledge.search_cards(query)
    knowledge.close()
    assert found.total >= len(found.hits)
    assert found.error is not None or found.reading


@pytest.mark.parametrize("seed", range(12))
def test_damage_in_the_columns_is_said_as_such(tmp_path: Path, seed: int) -> None:
    publish_own(tmp_path, MEADOW)
    file = tmp_path / "knowledge-1.sqlite"
    content = bytearray(file.read_bytes())
    chance = random.Random(seed)
    for place in chance.sample(range(4096, len(content)), 400):
        content[place] ^= 1 << chance.randrange(8)
    file.write_bytes(content)
    knowledge = Knowledge(tmp_path)
    for query in ("moss", "t:otter c:g", "o:hums pow>tou", "o:/./ is:vanilla", "mv<=3 order:color"):
        with suppress(KnowledgeCorruptError):
            found = knowledge.search_cards(query)
            assert found.total >= len(found.hits)
    knowledge.close()
