"""A person's regular expression can't hang the program, and matches as the language says."""

from __future__ import annotations

from pathlib import Path

import pytest

from hexcore_engine.knowledge.cards.query.expressions import read_expression
from hexcore_engine.knowledge.cards.query.problems import TermProblem
from hexcore_engine.knowledge.cards.query.regex_search import RegexBudget
from hexcore_engine.knowledge.lookup import Knowledge
from tests.unit.knowledge.cards.own_cards import own_card, publish_own
from tests.unit.knowledge.cards.query.meadow import card, face

ENDLESS = "(a|a)*(a|aa)+$"


def matches(pattern: str, text: str) -> bool:
    return RegexBudget(5).search(read_expression(pattern), [text]) == bytearray([1])


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("FOX", "a fox", True),
        ("Fóx", "a fox", True),
        ("^fox", "a fox\nfox", True),
        ("^fox$", "a fox\nfox two", False),
        ("a.b", "a\nb", False),
        ("{T}: Add", "{t}: add", True),
        (r"\{t\}", "{t}", True),
        ("a{2}", "aa", True),
        ("a{2,3}b", "aab", True),
        ("a{2}b", "ab", False),
        ("costs {2} less", "costs {2} less", True),
        (r"\d{1,2} counters", "12 counters", True),
        (r"\sm\sm", "{w}{2/u}", True),
        (r"\ss", "{chaos}", True),
        (r"\sm", "{t}", False),
        (r"\spt", "a 2/2 fox", True),
        (r"\spt", "+2/+2", False),
        (r"\spp", "+2/+2", True),
        (r"\smm", "-1/-1", True),
        (r"\smm", "−1/−1", True),
        (r"\spp?", "nothing", True),
        ("fo+x?", "foo", True),
        ("(fox|otter)s", "otters", True),
        ("fox|otter", "otter", True),
        ("(?:fox)(?=es)", "foxes", True),
        ("(?<!red )fox", "red fox", False),
        ("[A-F]ox", "fox", True),
        ("[^a-z]ox", "fox", False),
        ("[[]", "[", True),
        (r"\bfox\b", "foxes", False),
        (r"\p{Lu}", "fox", True),
        ("x{0}y", "y", True),
    ],
)
def test_expressions_match_as_the_language_says(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a)\1",
        "(?i)a",
        "(?P<n>a)",
        "(?R)",
        "(?|a)",
        "(*FAIL)",
        "(?e:a)",
        "a**",
        "(",
        ")",
        "[",
        "\\",
        "a{999}",
    ],
)
def test_what_the_language_does_not_know_is_refused_with_a_reason(pattern: str) -> None:
    with pytest.raises(TermProblem, match="expression"):
        read_expression(pattern)


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("destroy target", ("destroy target",)),
        ("foxe?s", ("fox", "s")),
        ("fox|otter", ()),
        ("(fox|otter) den", (" den",)),
        (r"add \sm or", ("add ", " or", "{")),
        ("a(b)?c", ("a", "c")),
    ],
)
def test_runs_of_letters_that_every_match_holds_are_known(pattern: str, literals: tuple[str, ...]) -> None:
    assert sorted(read_expression(pattern).literals) == sorted(literals)


def test_the_time_of_a_query_is_spent_once_and_what_is_left_open_is_told() -> None:
    budget = RegexBudget(0.2)
    endless = read_expression(ENDLESS)
    verdicts = budget.search(endless, ["b", "a" * 60 + "b", "b", "a"])
    # How many of the others there was time for depends on the machine; none of them is told wrongly.
    assert all(told in (true, 2) for told, true in zip(verdicts, (0, 2, 0, 1), strict=True))
    assert budget.stopped
    assert verdicts[1] == 2


def test_an_endless_expression_stops_and_neither_it_nor_its_opposite_guesses(tmp_path: Path) -> None:
    cards = [own_card("Plain Lantern"), card(face("Long Howl", "{1}", "Artifact", "a" * 80 + "b"))]
    publish_own(tmp_path, cards)
    knowledge = Knowledge(tmp_path)
    for query in (f"o:/{ENDLESS}/", f"-o:/{ENDLESS}/"):
        found = knowledge.search_cards(query)
        assert found.stopped
        assert "Long Howl" not in [hit.name for hit in found.hits]
        assert "stopped after 250 ms" in found.notes[0]
    rest = knowledge.search_cards(f"-o:/{ENDLESS}/ t:creature")
    assert not rest.stopped
    assert [hit.name for hit in rest.hits] == ["Plain Lantern"]
    knowledge.close()
