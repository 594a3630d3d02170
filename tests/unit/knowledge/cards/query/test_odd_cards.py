"""Cards whose cost, faces or reminders are out of the ordinary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hexcore_engine.knowledge.lookup import Knowledge
from tests.unit.knowledge.cards.own_cards import publish_own
from tests.unit.knowledge.cards.query.meadow import card, face

Names = Callable[[str], list[str]]

CARDS = [
    card(face("Free Pebble", "{0}", "Artifact", "It lies there.")),
    card(face("Tin Frog", "{1}", "Creature — Frog", "Hop (This creature leaps at end of turn.)", "1/1")),
    card(face("Loud Frog", "{G}", "Creature — Frog", "When Loud Frog leaps, croak until this turn ends.")),
    card(
        face("Quiet Chapel", "", "Land", "{T}: Add {C}."),
        face("Chapel Fiend", "", "Legendary Creature — Demon", "It can be your commander in no way.", "6/6"),
        layout="transform",
    ),
    card(
        face("Reed Hut", "", "Land", "{T}: Add {G}."),
        face("Hut Builder", "{2}{G}", "Legendary Creature — Human", "Partner", "2/3"),
        layout="modal_dfc",
    ),
    card(
        face("Lady Mire", "{2}{B}", "Legendary Creature — Human", "Partner", "2/2"),
        face("Mire Risen", "", "Land Creature — Horror", "", "3/3"),
        layout="transform",
    ),
    card(
        face("Bridge", "", "Land", "{T}: Add {R}."),
        face("Toll", "{1}{R}", "Sorcery", "Pay up."),
        layout="adventure",
    ),
]  # fmt: skip
CHAPEL, HUT, LADY, BRIDGE = (one.name for one in CARDS[3:])


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Names]:
    folder: Path = tmp_path_factory.mktemp("odd")
    publish_own(folder, CARDS)
    knowledge = Knowledge(folder)
    yield lambda query: sorted(hit.name for hit in knowledge.search_cards(query).hits)
    knowledge.close()


@pytest.mark.parametrize("trait", ["commander", "brawler", "duelcommander", "partner"])
def test_a_card_leads_a_deck_by_its_front_alone(names: Names, trait: str) -> None:
    assert names(f"is:{trait}") == [LADY]


def test_a_back_is_a_spell_only_where_it_may_be_cast_from_the_hand(names: Names) -> None:
    assert names("is:spell t:land") == sorted([BRIDGE, HUT, LADY])
    assert names("not:spell") == [CHAPEL]


@pytest.mark.parametrize("query", ["m:0", "m:{0}", "m=0", "m={0}"])
def test_a_cost_of_nothing_is_looked_for_exactly(names: Names, query: str) -> None:
    assert names(query) == ["Free Pebble"]


def test_more_than_a_cost_of_nothing_is_every_other_cost(names: Names) -> None:
    assert "Free Pebble" not in names("m>0")
    assert "Free Pebble" in names("m>=0")


@pytest.mark.parametrize("field", ["fo", "any"])
@pytest.mark.parametrize("value", ["/~ leaps/", '"~ leaps"', "/^(when|hop).*~ leap/", "/~ l[a-e]+ps/"])
def test_full_text_names_the_card_itself_within_reminders_and_without(
    names: Names, field: str, value: str
) -> None:
    assert names(f"{field}:{value}") == ["Loud Frog", "Tin Frog"]
    assert names(f"o:{value}") == ["Loud Frog"]


@pytest.mark.parametrize("value", ["/until ~/", '"until ~"'])
def test_this_turn_is_not_the_card_itself(names: Names, value: str) -> None:
    assert names(f"fo:{value}") == []
