from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hexcore_engine.knowledge.index.reasons import Asked, reasons_for
from hexcore_engine.knowledge.index.signals import PARTS, CardWords, Query, fused_order
from hexcore_engine.knowledge.rules.records import RuleRecord

from .releases import NUMBERS, make_reader
from .word_vectors import near

BARGE = CardWords("Barge of Sighs", "artifact — vehicle\nwhenever ~ floats, its owner sings.", ("ferry",))


def ask(text: str, *cards: CardWords) -> Query:
    return Query(text=text, rest=text, cards=cards)


def record(number: str, text: str) -> RuleRecord:
    return RuleRecord(number, text, True, number[:5], "Keywords", (), "")


def test_the_fused_order_begins_with_the_rule_asked_about() -> None:
    signals = make_reader().read(ask("Does my lantern keep burning when the moth leaves?"))
    order = fused_order(signals, 10)
    assert NUMBERS[order[0][0]] == "702.1a"
    assert all(first[1] >= second[1] for first, second in pairwise(order))


def test_a_cards_text_points_to_rules_by_pattern_and_by_name() -> None:
    signals = make_reader().read(ask("What now?", BARGE))
    assert signals.lists["pattern_rare"][6] > signals.lists["pattern_rare"][4] > 0
    assert signals.pointing_card[6] == "Barge of Sighs"
    assert signals.lists["card_topic"][6] > 0
    assert signals.named_on[6][0] == "Barge of Sighs"
    assert signals.num_cards == 1


def test_names_of_rules_are_heard_in_other_forms() -> None:
    signals = make_reader().read(ask("He boarded two ferries"))
    assert set(signals.named) == {5, 6}
    assert not signals.lists["card_topic"].any()


def test_decided_questions_speak_for_their_rules_unless_forgotten() -> None:
    reader = make_reader()
    query = ask("Who steers a barge?")
    assert reader.read(query).lists["asked"][6] > 0
    forgetting = Query(query.text, query.rest, forgotten=[0])
    assert reader.read(forgetting).lists["asked"][6] == 0


def test_rules_near_in_meaning_join_the_candidates() -> None:
    found = near((4, "body", 0.8), (6, "asks", 0.7), (4, "asks", 0.6))
    signals = make_reader().read(Query("xylophone", "xylophone", near=lambda: found))
    assert [place for place, _ in fused_order(signals, 5)] == [4, 6]
    assert signals.lists["near"][[4, 6]].tolist() == pytest.approx([0.8, 0.7])
    assert signals.lists["near_asks"][[4, 6]].tolist() == pytest.approx([0.6, 0.7])


def test_without_the_digest_only_the_rules_own_texts_are_near() -> None:
    found = near((4, "body", 0.8), (6, "asks", 0.7))
    signals = make_reader(("digest",)).read(Query("xylophone", "xylophone", near=lambda: found))
    assert np.flatnonzero(signals.lists["near"]).tolist() == [4]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_left_out_is_silent(part: str) -> None:
    signals = make_reader((part,)).read(ask("Which moth lantern lock does the barge have?", BARGE))
    assert not any(signals.lists[name].any() for name in PARTS[part])
    if part == "digest":
        assert not signals.lists["ours"].any()
    if part == "cards":
        assert not signals.lists["oracle_body"].any()
    assert signals.lists["in_body"].any()


def test_reasons_say_what_pointed_to_a_rule() -> None:
    reader = make_reader()
    ferry = Asked(reader, reader.read(ask("Does the ferry float?", BARGE)), ["ferry"])
    rule = record("702.2a", "Ferries carry pilgrims across still water.")
    assert reasons_for(ferry, rule, [], set()).startswith("Barge of Sighs has “Ferry”; you name")
    linked = record("702.1a", "Gloaming lanterns burn.")
    assert "702.1b points here" in reasons_for(ferry, linked, [], {"702.1b"})
    assert "it points to 702.1a" in reasons_for(ferry, record("702.1b", "Out it goes."), [], {"702.1a"})
    barge = Asked(reader, reader.read(ask("Is a barge lit?")), [])
    assert reasons_for(barge, linked, [], set()) == "it decided questions like yours"
    nothing = Asked(reader, reader.read(ask("xylophone")), [])
    assert reasons_for(nothing, linked, [], set())


def test_a_phrase_of_players_is_quoted_when_the_question_holds_most_of_it() -> None:
    reader = make_reader()
    phrases = ["moth trick", "lantern lock forever"]
    rule = record("702.1a", "Gloaming lanterns burn.")
    said = Asked(reader, reader.read(ask("He tried that moth trick!")), [])
    assert "players say “moth trick”" in reasons_for(said, rule, phrases, set())
    assert "players say" not in reasons_for(said, rule, phrases[:1], set())
