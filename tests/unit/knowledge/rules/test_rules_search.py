"""Searching the rules: whole sections, exact phrases, misspelt words, marks; and what points where."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from hexcore_engine.knowledge.digest.loader import load_digest
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.rules.marks import mark_words, stem
from hexcore_engine.knowledge.rules.release import import_rules_file
from tests.unit.knowledge.cards.own_cards import own_card, publish_own
from tests.unit.knowledge.rules.own_release import OwnRelease

RULES = {
    "100": [
        "100.1. A lantern is a thing that glows.",
        "100.2. Whoever drops a kettle picks it up. See rule 702.2a.",
    ],
    "702": [
        "702.1. Glimmering",
        "702.1a The object shines until the next ferry leaves.",
        "702.1b Shining objects can't be buttoned. See rule 100.1.",
        "702.2. Whistling",
        "702.2a A whistling kettle is moved to the orchard.",
        *(f"702.{number}. Humming {number}" for number in range(3, 60)),
    ],
}  # fmt: skip


@pytest.fixture
def knowledge(tmp_path: Path) -> Knowledge:
    glossary = [("Glimmering", "It shines. See rule 702.1, “Glimmering.”"), ("Kettle", "See rule 702.2a.")]
    text = OwnRelease("May 5, 2025", "effective", "Game Concepts", RULES, glossary).text()
    file = tmp_path / "own.txt"
    file.write_text(text.replace("702. Group 702", "702. Keyword Abilities"))
    import_rules_file(tmp_path / "knowledge", file)
    return Knowledge(tmp_path / "knowledge")


def numbers(knowledge: Knowledge, words: str, limit: int = 20) -> list[str]:
    return [hit.rule.number for hit in knowledge.search_rules(words, limit)]


@pytest.mark.parametrize(
    "words", ["glimmering", "Glimmering", "how does glimmering work", "the glimmering rules"]
)
def test_a_name_brings_its_whole_section_though_its_rules_never_use_it(
    knowledge: Knowledge, words: str
) -> None:
    assert numbers(knowledge, words)[:3] == ["702.1", "702.1a", "702.1b"]
    assert "702.10" not in numbers(knowledge, words)[:3]


def test_quotes_mean_exactly_these_words(knowledge: Knowledge) -> None:
    assert numbers(knowledge, '"drops a kettle"') == ["100.2"]
    assert numbers(knowledge, "“drops a kettle”") == ["100.2"]
    assert numbers(knowledge, '"a kettle drops"') == []
    assert numbers(knowledge, '"whistl"') == []
    assert numbers(knowledge, '"kettle" orchard')[0] == "702.2a"
    assert numbers(knowledge, '"lantren"') == []
    assert numbers(knowledge, '""') == []


def test_misspelt_words_are_read_only_when_nothing_has_them(knowledge: Knowledge) -> None:
    (first, *_) = knowledge.search_rules("glimering", 5)
    assert first.rule.number == "702.1"
    assert "read as “glimmering”" in first.why
    assert "read as" not in knowledge.search_rules("kettle", 5)[0].why
    assert numbers(knowledge, "qqqqqqqq") == []


def test_what_was_found_is_marked(knowledge: Knowledge) -> None:
    (hit, *_) = [hit for hit in knowledge.search_rules("kettles", 5) if hit.rule.number == "100.2"]
    assert [hit.rule.text[start:end] for start, end in hit.marks] == ["kettle"]
    (hit,) = knowledge.search_rules('"a  kettle"', 5)[:1]
    assert [hit.rule.text[start:end] for start, end in hit.marks] == ["a kettle"]


def test_forms_of_a_word_are_one() -> None:
    assert len({stem(word) for word in ("phase", "phases", "phased", "phasing")}) == 1
    assert len({stem(word) for word in ("drop", "drops", "dropped", "dropping")}) == 1
    assert mark_words("The cards card’s carded", ["card"]) == ((4, 9), (10, 16), (17, 23))


@pytest.mark.parametrize("words", ["*", '"', "(", "{T}", '"—"', "a" * 5000, "NOT OR AND", "\x00", "  "])
def test_any_words_can_be_looked_for(knowledge: Knowledge, words: str) -> None:
    found = knowledge.search_rules(words, 5)
    assert len(found) <= 5
    assert all(knowledge.rule(hit.rule.number) for hit in found)


def test_references_are_seen_from_both_sides(knowledge: Knowledge) -> None:
    view = knowledge.rule("100.2")
    assert view is not None
    assert view.points_to == ("702.2a",)
    there = knowledge.rule("702.2a")
    assert there is not None
    assert there.pointed_from == ("100.2",)
    assert there.points_here.terms == ("Kettle",)
    above = knowledge.rule("702.2")
    assert above is not None
    assert above.points_here.rules_below == ("100.2",)
    assert above.points_here.terms == ("Kettle",)


def test_a_keyword_knows_its_cards(knowledge: Knowledge, tmp_path: Path) -> None:
    assert knowledge.rule("702.1").points_here.num_cards is None  # type: ignore[union-attr]
    cards = [replace(own_card(f"Moss Lantern {number}"), keywords=("Glimmering",)) for number in range(12)]
    publish_own(tmp_path / "knowledge", [*cards, own_card("Ash Lantern")])
    view = knowledge.rule("702.1")
    assert view is not None
    assert view.points_here.keyword == "Glimmering"
    assert view.points_here.num_cards == 12
    assert "Moss Lantern 0" in view.points_here.cards
    assert view.points_here.terms == ("Glimmering",)
    below = knowledge.rule("702.1a")
    assert below is not None
    assert below.points_here.keyword == ""


def test_the_neighbourhood_goes_over_references_in_both_directions(knowledge: Knowledge) -> None:
    near = knowledge.neighbourhood("702.2a")
    assert near is not None
    steps = {step.number: (step.way, step.num_steps) for step in near.neighbours}
    assert steps == {"100.2": ("pointed from", 1), "702.2": ("above", 1)}
    around = knowledge.neighbourhood("702.1")
    assert around is not None
    found = {step.number: (step.way, step.num_steps, step.over) for step in around.neighbours}
    assert found["702.1b"] == ("below", 1, "")
    assert found["100.1"] == ("points to", 2, "702.1b")
    assert knowledge.neighbourhood("999.9") is None


def test_only_the_nearest_siblings_are_in_the_window(knowledge: Knowledge) -> None:
    view = knowledge.rule("702.30")
    assert view is not None
    assert len(view.siblings) == 59
    assert [rule.number for rule in view.near_siblings(2)] == [
        "702.28",
        "702.29",
        "702.30",
        "702.31",
        "702.32",
    ]


def test_players_words_stand_beside_the_official_term_where_its_rule_is(tmp_path: Path) -> None:
    entry = next(
        entry for entry in load_digest().values() if len(entry.said) > 2 and entry.rule[-1].isalpha()
    )
    number = entry.rule[:-1]
    rules = {number[:3]: [f"{number}. Name", f"{entry.rule} A ferry waits."]}
    glossary = [("Own Term", f"A thing. See rule {number}.")]
    file = tmp_path / "own.txt"
    file.write_text(OwnRelease("May 5, 2025", "effective", "Game Concepts", rules, glossary).text())
    import_rules_file(tmp_path / "knowledge", file)
    knowledge = Knowledge(tmp_path / "knowledge")
    (official,) = knowledge.glossary("Own Term")
    placed = knowledge.rule(entry.rule)
    assert placed is not None
    # Our words stand beside a rule only where the release has that rule.
    above = load_digest().get(number)
    assert set(official.said) <= {*entry.said, *(above.said if above else ())}
    assert bool(official.said) >= bool(placed.rule.plain)
    if placed.rule.plain:
        (players,) = [found for found in knowledge.glossary(entry.said[0]) if entry.rule in found.rules][:1]
        assert players.official is False
        assert "not official" in players.text
    knowledge.close()
