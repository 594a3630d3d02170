"""Queries over the real cards agree with a plain look at every record, and named cycles have their lands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from hexcore_engine.knowledge.cards.mana import mana_symbols
from hexcore_engine.knowledge.cards.records import CardRecord
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.store.reader import KnowledgeReader

EVERYTHING = 100_000
Test = Callable[[CardRecord], bool]


@pytest.fixture(scope="module")
def knowledge(prepared_home: Path) -> Iterator[Knowledge]:
    opened = Knowledge(prepared_home / "knowledge")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def records(prepared_home: Path) -> list[CardRecord]:
    reader = KnowledgeReader(prepared_home / "knowledge")
    with reader.query() as connection:
        assert connection is not None
        rows = connection.execute("SELECT record FROM card WHERE NOT extra").fetchall()
    reader.close()
    return [msgspec.msgpack.decode(packed, type=CardRecord) for (packed,) in rows]


def found(knowledge: Knowledge, query: str) -> set[str]:
    result = knowledge.search_cards(query, EVERYTHING)
    assert result.error is None
    assert len(result.hits) == result.total
    return {hit.name for hit in result.hits}


def in_text(pattern: str) -> Test:
    def test(card: CardRecord) -> bool:
        texts = (re.sub(r"\([^()]*\)", "", face.oracle_text).casefold() for face in card.faces)
        return any(re.search(pattern, text, re.MULTILINE) for text in texts)

    return test


def in_type(word: str) -> Test:
    return lambda card: any(word in face.type_line.casefold() for face in card.faces)


def whole(number: str | None) -> int | None:
    return int(number) if number is not None and number.isdecimal() else None


def is_bigger(card: CardRecord) -> bool:
    sizes = ((whole(face.power), whole(face.toughness)) for face in card.faces)
    return any(power is not None and size is not None and power > size for power, size in sizes)


PLAIN: dict[str, Test] = {
    "t:goblin -t:creature": lambda card: in_type("goblin")(card) and not in_type("creature")(card),
    "id<=esper t:instant": lambda card: set(card.color_identity) <= set("WUB") and in_type("instant")(card),
    "mv>=8": lambda card: card.mana_value >= 8,
    "kw:trample c:g": lambda card: (
        "Trample" in card.keywords and ("G" in card.colors or any("G" in face.colors for face in card.faces))
    ),
    'o:"draw two cards" or o:"draw three cards"': in_text("draw (?:two|three) cards"),
    r"o:/whenever .* attacks, draw/": in_text("whenever .* attacks, draw"),
    r"o:/^{T}: add/": in_text(r"^\{t\}: add"),
    "pow>tou -pow=* -tou=*": is_bigger,
    "loy=3": lambda card: any(face.loyalty == "3" for face in card.faces),
    "pow=*": lambda card: any("*" in (face.power or "") for face in card.faces),
    "m:{w/u}": lambda card: any("W/U" in mana_symbols(face.mana_cost) for face in card.faces),
    "lightning": lambda card: "lightning" in card.name.casefold(),
    "is:split": lambda card: card.layout == "split",
}


@pytest.mark.parametrize("query", PLAIN)
def test_a_query_finds_what_a_look_at_every_card_finds(
    knowledge: Knowledge, records: list[CardRecord], query: str
) -> None:
    expected = {card.name for card in records if PLAIN[query](card)}
    assert expected
    names = found(knowledge, query)
    if query == "pow>tou -pow=* -tou=*":
        names = {name for name in names if not _is_odd(knowledge, name)}
    assert names == expected


def _is_odd(knowledge: Knowledge, name: str) -> bool:
    card = knowledge.card(name)
    assert card is not None
    return any(
        not (face.power or "0").isdecimal() or not (face.toughness or "0").isdecimal() for face in card.faces
    )


@pytest.mark.parametrize(
    ("cycle", "count"),
    [("shockland", 10), ("fetchland", 10), ("dual", 10), ("slowland", 10), ("triome", 10), ("tangoland", 10),
     ("canopyland", 6), ("checkland", 10), ("scryland", 10), ("surveilland", 10), ("shadowland", 10),
     ("bikeland", 10)],
)  # fmt: skip
def test_a_cycle_of_lands_is_whole(knowledge: Knowledge, cycle: str, count: int) -> None:
    assert len(found(knowledge, f"is:{cycle}")) == count


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("is:creatureland id:wu", "Celestial Colonnade"),
        ("is:manland", "Mutavault"),
        ("is:painland", "Adarkar Wastes"),
        ("is:karoo", "Azorius Chancery"),
        ("is:filterland", "Mystic Gate"),
        ("is:fastland", "Seachrome Coast"),
        ("is:commander t:planeswalker", "Daretti, Scrap Savant"),
        ("is:companion", "Lurrus of the Dream-Den"),
        ("is:partner", "Thrasios, Triton Hero"),
        ("is:frenchvanilla", "Serra Angel"),
        ("is:bear", "Grizzly Bears"),
        ("is:modal c:u t:instant", "Cryptic Command"),
        ("devotion:{u/b}{u/b}{u/b}", "Arcanis the Omnipotent"),
        ("produces=wu", "Azorius Chancery"),
        ('o:"~ enters tapped"', "Azorius Chancery"),
        ('o:"sacrifice ~"', "Lotus Petal"),
        ("is:mdfc", "Emeria's Call // Emeria, Shattered Skyclave"),
        ("tou=1+*", "Tarmogoyf"),
        ("shock lands", "Blood Crypt"),
        ("two mana green legendary elves", None),
    ],
)
def test_well_known_cards_are_among_those_found(knowledge: Knowledge, query: str, name: str | None) -> None:
    names = found(knowledge, query)
    assert names
    assert name is None or name in names


def test_a_face_that_the_data_lacks_is_not_found_by_its_text_and_the_card_says_so(
    knowledge: Knowledge,
) -> None:
    assert "Fire // Ice" in found(knowledge, "is:incomplete t:instant c=ur")
