from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from hexcore_engine.knowledge.index.postings import FIELDS, Postings, read_postings, write_postings
from hexcore_engine.knowledge.index.tokens import Stemmer, is_pair, pairs

from .releases import NUMBERS, make_postings


def scores(postings: Postings, text: str, without: list[int] | None = None) -> np.ndarray:
    terms = postings.known(Stemmer().terms(text), 100)
    return postings.field_scores(postings.find(terms, without or []), postings.weights(terms))


def test_words_lose_their_endings_and_what_says_nothing() -> None:
    stemmer = Stemmer()
    assert stemmer.terms("The players' creatures didn't die, they've BLOCKED a +1/+1 blocker") == [
        "player", "creatur", "die", "block", "+1/+1", "blocker",
    ]  # fmt: skip
    assert stemmer.terms("") == []
    assert stemmer.many_terms(["ninjutsu", "", "dying"]) == [["ninjutsu"], [], ["dy"]]


def test_pairs_are_terms_of_their_own() -> None:
    assert pairs(["copi", "spell", "stack"]) == ["copi_spell", "spell_stack"]
    assert pairs(["copi"]) == []
    assert is_pair("copi_spell")
    assert not is_pair("copi")


def test_each_field_of_a_rule_scores_for_itself() -> None:
    postings = make_postings()
    found = scores(postings, "the moth's lantern")
    assert found.shape == (len(FIELDS), len(NUMBERS))
    body = found[FIELDS.index("body")]
    assert body[3] > 0
    assert body[4] > 0
    assert body[6] == 0
    assert found[FIELDS.index("plain")].argmax() == 4


def test_rare_words_count_more_than_common_ones() -> None:
    body = scores(make_postings(), "gloaming moth")[FIELDS.index("body")]
    assert body[3] > body[4]


def test_a_unit_left_out_counts_as_not_written() -> None:
    postings = make_postings()
    (example,) = postings.units_of("example", 3)
    row = FIELDS.index("example")
    assert scores(postings, "windowsill")[row][3] > 0
    assert scores(postings, "windowsill", [example])[row][3] == 0
    assert postings.units_of("example", 4) == []


def test_the_best_single_phrase_is_told_with_the_share_of_it_that_is_met() -> None:
    postings = make_postings()
    terms = postings.known(Stemmer().terms("that old moth trick again"), 100)
    hits, weights = postings.find(terms), postings.weights(terms)
    shares = postings.unit_shares(hits, weights)
    trick, lock = postings.units_of("said", 3)
    assert shares[trick] == pytest.approx(1.0)
    assert shares[lock] == 0
    best = postings.best_by_slot(postings.unit_scores(hits, weights))
    assert best[FIELDS.index("said")][3] == postings.unit_scores(hits, weights)[trick]


def test_unknown_words_score_nothing() -> None:
    assert not scores(make_postings(), "xylophone").any()
    assert not scores(make_postings(), "").any()


def test_what_a_release_stores_is_read_back() -> None:
    postings = make_postings()
    connection = sqlite3.connect(":memory:")
    connection.execute("ATTACH ':memory:' AS release")
    connection.execute("CREATE TABLE release.postings (name TEXT PRIMARY KEY, data BLOB)")
    connection.execute("CREATE TABLE release.rule (number TEXT)")
    connection.executemany("INSERT INTO release.rule VALUES (?)", [(number,) for number in NUMBERS])
    write_postings(connection, postings)
    again = read_postings(connection)
    assert again.terms == postings.terms
    assert again.num_rules == len(NUMBERS)
    assert np.allclose(scores(again, "moth lantern ferry"), scores(postings, "moth lantern ferry"))
