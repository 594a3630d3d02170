from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hexcore_engine.inference.citations import (
    CitationChecker,
    find_rule_numbers,
    sentence_around,
    shares_words,
)
from hexcore_engine.inference.grammar import citation_grammar
from hexcore_engine.protocol.records import Passage

RULE = Passage(
    "rule", "702.19b", "Trample", "Whatever damage is left over may hit the player instead.", "", ""
)


def check(text: str, size: int = 1000) -> list[tuple[str, bool, str]]:
    checker = CitationChecker([RULE], lambda number: number.startswith("5"))
    found = []
    for start in range(0, len(text), size):
        found += list(checker.feed(text[start : start + size]))
    found += list(checker.finish())
    assert all(text[cited.start : cited.end].strip("[] ") == cited.rule for cited in found)
    return [(cited.rule, cited.bracketed, cited.status) for cited in found]


def test_the_four_marks() -> None:
    text = (
        "Whatever damage is left over hits the player [702.19b]. Yes, see [702.19b]. "
        "Also rule 510.1c says so. And 899.9z does not exist."
    )
    assert check(text) == [
        ("702.19b", True, "quoted"),
        ("702.19b", True, "retrieved"),
        ("510.1c", False, "exists-not-retrieved"),
        ("899.9z", False, "unknown"),
    ]


def test_a_number_after_the_full_stop_belongs_to_the_sentence_before() -> None:
    assert check("Whatever damage is left over may go on. [702.19b]")[0][2] == "quoted"


def test_an_answer_may_begin_with_a_number() -> None:
    assert [entry[0] for entry in check("[702.19b] says it, and so does 510.1c.")] == ["702.19b", "510.1c"]
    assert check("702.19b says it.")[0][:2] == ("702.19b", False)


def test_prices_dates_and_sizes_are_no_rules() -> None:
    assert check("It costs $100.50, on 2026.11.25, about 1,100.5 points, a 3/3, v100.1.2, 700 cards.") == []


def test_groups_are_rules_where_a_word_says_so() -> None:
    text = "It ends (see rule 594). Rules 608, 509 and 704 and CR 508 too. Of 300 cards, rules 100% sure."
    assert check(text) == [
        ("594", False, "exists-not-retrieved"),
        ("608", False, "unknown"),
        ("509", False, "exists-not-retrieved"),
        ("704", False, "unknown"),
        ("508", False, "exists-not-retrieved"),
    ]
    assert check("Rule 702.19b, not rule 702.") == [
        ("702.19b", False, "retrieved"),
        ("702", False, "unknown"),
    ]


@given(st.integers(1, 7))
def test_pieces_of_any_size_give_the_same_marks(size: int) -> None:
    text = "Whatever damage is left over hits [702.19b]. Then 510.1c and rules 508\nand 509.\nLast: [702.19b]"
    assert check(text, size) == check(text)


@given(
    st.lists(st.sampled_from([*"[]0123456789.,ab c\n", " and ", "rule ", "rules "]), max_size=60).map(
        "".join
    ),
    st.integers(1, 5),
)
def test_any_text_is_survived_and_nothing_is_marked_twice(text: str, size: int) -> None:
    checker = CitationChecker([RULE], lambda number: False)
    found = []
    for start in range(0, len(text), size):
        found += list(checker.feed(text[start : start + size]))
    found += list(checker.finish())
    places = [(cited.start, cited.end) for cited in found]
    assert places == sorted(set(places))
    assert len(places) == len(find_rule_numbers(text))


def test_five_words_in_a_row_make_a_quote_and_four_do_not() -> None:
    assert shares_words("so whatever damage is left over", RULE.text)
    assert not shares_words("damage is left over it", RULE.text)


def test_a_quote_may_end_the_sentence() -> None:
    assert shares_words("Damage is left over may", "damage is left over may hit")
    assert shares_words("so damage is left over may", "damage is left over may hit")
    assert not shares_words("is left over may", "is left over may hit")
    assert not shares_words("", RULE.text)


def test_numbers_are_found_between_two_offsets_in_order_and_brackets_once() -> None:
    text = "702.2c and [702.19B] and 510.1c"
    everything = [(0, 6, "702.2c", False), (11, 20, "702.19b", True), (25, 31, "510.1c", False)]
    assert find_rule_numbers(text) == everything
    assert find_rule_numbers(text, 7) == everything[1:]
    assert find_rule_numbers(text, 0, 20) == everything[:2]
    assert find_rule_numbers("702.2c", 0) == [(0, 6, "702.2c", False)]
    assert find_rule_numbers("[702.2c]510.1c") == [(0, 8, "702.2c", True), (8, 14, "510.1c", False)]


def test_a_sentence_is_cut_out_around_a_number_without_it() -> None:
    text = "One lantern. Two lanterns 702.2c glow. Three."
    start = text.index("702")
    assert sentence_around(text, start, start + 6) == "Two lanterns   glow."
    assert sentence_around("702.2c", 0, 6) == " "
    behind = "Two glow. [702.2c] Three do."
    assert sentence_around(behind, 10, 18) == "Two glow.   Three do."
    first = "Two glow. 702.2c does."
    assert sentence_around(first, 10, 16) == "Two glow.   does."


def test_the_grammar_allows_retrieved_numbers_alone() -> None:
    grammar = citation_grammar(("702.19b", "702.2c"))
    assert 'cite ::= "[" ("702.19b" | "702.2c") "]"' in grammar
    assert "[^\\[\\]]" in grammar


def test_without_rules_there_is_no_citation_branch() -> None:
    assert "cite" not in citation_grammar(())
