"""Names of the real cards, as people type and mistype them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from hexcore_engine.knowledge.cards.names import name_key
from hexcore_engine.knowledge.cards.query.search import CardQueries
from hexcore_engine.knowledge.cards.reader import complete_names, find_card
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.store.reader import KnowledgeReader

NUM_TYPOS = 50
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="module")
def reader(prepared_home: Path) -> Iterator[KnowledgeReader]:
    reader = KnowledgeReader(prepared_home / "knowledge")
    yield reader
    reader.close()


def ordinary_names(reader: KnowledgeReader) -> list[str]:
    with reader.query() as connection:
        assert connection is not None
        return [
            name for (name,) in connection.execute("SELECT name FROM card WHERE extra = 0 ORDER BY card_id")
        ]


def mistyped(name: str, chance: random.Random) -> str:
    """One slip of the finger somewhere after the first letter."""
    place = chance.randrange(1, len(name))
    letter = chance.choice(LETTERS)
    return chance.choice(
        (
            name[:place] + name[place + 1 :],
            name[:place] + letter + name[place:],
            name[:place] + letter + name[place + 1 :],
            name[: place - 1] + name[place] + name[place - 1] + name[place + 1 :],
        )
    )


def test_all_cards_are_there_and_each_is_listed_once(reader: KnowledgeReader) -> None:
    with reader.query() as connection:
        assert connection is not None
        rows = connection.execute("SELECT COUNT(*), COUNT(DISTINCT name) FROM card").fetchone()
    # 35,033 rows, of which 401 are the backs of transforming cards.
    assert rows == (34_632, 34_632)


def test_every_name_finds_its_own_card(reader: KnowledgeReader) -> None:
    names = ordinary_names(reader)
    with reader.query() as connection:
        assert connection is not None
        found = {name: find_card(connection, name_key(name)) for name in names}
    assert [
        name for name, card in found.items() if card is None or name_key(card.name) != name_key(name)
    ] == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fifty_slips_of_the_finger_still_show_the_right_card_among_the_first_three(
    reader: KnowledgeReader, seed: int
) -> None:
    chance = random.Random(seed)
    missed = []
    with reader.query() as connection:
        assert connection is not None
        for name in chance.sample([name for name in ordinary_names(reader) if len(name) > 4], NUM_TYPOS):
            typed = mistyped(name, chance)
            if name not in [hit.name for hit in complete_names(connection, typed)[:3]]:
                missed.append((name, typed))
    assert missed == []


def test_accents_signs_and_case_need_not_be_typed(reader: KnowledgeReader) -> None:
    with reader.query() as connection:
        assert connection is not None
        for typed in ("lim-dul's vault", "LIM DULS VAULT", "Lim-Dûl’s Vault", "Lim-Du\u0302l's Vault"):
            card = find_card(connection, typed)
            assert card is not None
            assert card.name == "Lim-Dûl's Vault"
        assert "Lim-Dûl's Vault" in [hit.name for hit in CardQueries(connection).search("lim-dul", 20).hits]


def test_an_exact_name_comes_before_longer_ones(reader: KnowledgeReader) -> None:
    with reader.query() as connection:
        assert connection is not None
        for name in ("Opt", "Shock", "Lightning Bolt", "Forest", "+2 Mace", "_____"):
            assert complete_names(connection, name.lower())[0].name == name


def test_the_name_of_a_face_finds_the_card_and_missing_faces_are_named(prepared_home: Path) -> None:
    knowledge = Knowledge(prepared_home / "knowledge")
    try:
        for face, name in (("Stomp", "Bonecrusher Giant // Stomp"), ("ice", "Fire // Ice")):
            card = knowledge.card(face)
            assert card is not None
            assert card.name == name
            assert [missing.lower() for missing in card.missing_faces] == [face.lower()]
        both = knowledge.card("insectile aberration")
        assert both is not None
        assert [face.name for face in both.faces] == ["Delver of Secrets", "Insectile Aberration"]
        assert both.missing_faces == ()
        assert both.mana_value == 1
    finally:
        knowledge.close()


def test_464_cards_lack_a_face_beside_the_reversible_duplicates(prepared_home: Path) -> None:
    knowledge = Knowledge(prepared_home / "knowledge")
    reader = KnowledgeReader(prepared_home / "knowledge")
    try:
        with reader.query() as connection:
            assert connection is not None
            names = connection.execute("SELECT name FROM card WHERE name LIKE '% // %'").fetchall()
        cards = [knowledge.card(name) for (name,) in names]
    finally:
        knowledge.close()
        reader.close()
    lacking = [card for card in cards if card is not None and card.missing_faces]
    assert sum(card.layout != "reversible_card" for card in lacking) == 464


def test_extras_show_only_when_nothing_else_matches(reader: KnowledgeReader) -> None:
    with reader.query() as connection:
        assert connection is not None
        assert complete_names(connection, "academy at tol")[0].name == "Academy at Tolaria West"
        found = CardQueries(connection).search("demilich", 50)
        assert ([hit.name for hit in found.hits], found.total) == (["Demilich"], 1)


def test_words_in_any_order_and_parts_of_words_match(reader: KnowledgeReader) -> None:
    with reader.query() as connection:
        assert connection is not None
        queries = CardQueries(connection)
        assert "Lightning Bolt" in [hit.name for hit in queries.search("bolt light", 20).hits]
        found = queries.search("ightnin", 5)
        assert len(found.hits) == 5
        assert found.total > 50
        assert "ightnin" in found.reading


def test_odd_powers_stay_as_they_are_written(prepared_home: Path) -> None:
    knowledge = Knowledge(prepared_home / "knowledge")
    try:
        card = knowledge.card("Angry Mob")
        assert card is not None
        assert (card.faces[0].power, card.faces[0].toughness) == ("2+*", "2+*")
    finally:
        knowledge.close()


def test_colours_follow_indicators_and_devoid_where_the_cost_tells_none(prepared_home: Path) -> None:
    knowledge = Knowledge(prepared_home / "knowledge")
    expected = {
        "Ancestral Vision": "U", "Pact of Negation": "U", "Kobolds of Kher Keep": "R", "Dryad Arbor": "G",
        "Forest": "", "Mox Ruby": "", "Transguild Courier": "WUBRG", "Fire // Ice": "UR",
        "Delver of Secrets // Insectile Aberration": "U",
    }  # fmt: skip
    try:
        for name, colors in expected.items():
            card = knowledge.card(name)
            assert card is not None, name
            assert "".join(card.colors) == colors, name
        eldrazi = knowledge.card("Void Grafter")
        assert eldrazi is not None
        assert eldrazi.colors == ()
        assert eldrazi.color_identity == ("U", "G")
    finally:
        knowledge.close()
