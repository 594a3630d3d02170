"""What is irregular in a rules file is named by its very line; each part begins where its heading stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from hexcore_engine.errors import ImportFileError
from hexcore_engine.knowledge.rules.decoding import SOFT_BREAK, decode_rules_text
from hexcore_engine.knowledge.rules.parser import ParsedRules, parse_rules_text

INTRODUCTION = (
    "Invented Rules",  # line 1
    "",
    "These rules are current as of March 1, 2003.",
    "",
    "Contents",
    "1. The Game",
    "100. Lanterns",
    "101. Ferries",
    "Glossary",
    "Credits",
    "",
)
BODY = (
    "1. The Game",  # line 12
    "",
    "100. Lanterns",
    "100.1. A lantern glows.",
    "Example: One glows.",
    "101. Ferries",
    "101.1. A ferry leaves.",  # line 18
)
GLOSSARY = ("Glossary", "", "Lantern", "A thing that glows.", "")
CREDITS = ("Credits", "", "Nobody.")


def parse(*parts: Sequence[str], end: str = "\n") -> ParsedRules:
    content = "\n".join(line for part in parts for line in part) + end
    return parse_rules_text(decode_rules_text(content.encode(), "own.txt"), "own.txt")


def warnings(parsed: ParsedRules) -> list[tuple[int, str]]:
    return [(warning.line, warning.reason) for warning in parsed.warnings]


def changed(lines: Sequence[str], place: int, *by: str) -> tuple[str, ...]:
    """The lines with one of them replaced; `place` is counted from 0."""
    return (*lines[:place], *by, *lines[place + 1 :])


def in_body(*lines: str) -> list[tuple[int, str]]:
    """The warnings about lines that stand from line 19 on, after rule 101.1."""
    return warnings(parse(INTRODUCTION, BODY, lines, GLOSSARY, CREDITS))


def test_a_regular_file_has_no_warnings_and_each_part_its_line() -> None:
    parsed = parse(INTRODUCTION, BODY, GLOSSARY, CREDITS)
    assert warnings(parsed) == []
    assert [(group.number, group.line) for group in parsed.groups] == [("100", 14), ("101", 17)]
    assert [(rule.number, rule.line) for rule in parsed.rules] == [("100.1", 15), ("101.1", 18)]
    assert [(section.number, section.line) for section in parsed.sections] == [("1", 12)]
    assert [(term.term, term.text) for term in parsed.glossary] == [("Lantern", "A thing that glows.")]
    assert (parsed.num_rules, parsed.num_groups, parsed.num_examples) == (2, 2, 1)
    assert parsed.credits == "Nobody."
    assert parsed.effective == date(2003, 3, 1)


def test_a_file_of_few_words_before_its_contents_keeps_its_first_heading() -> None:
    parsed = parse(INTRODUCTION[:1], INTRODUCTION[4:], BODY, GLOSSARY, CREDITS)
    assert [section.title for section in parsed.sections] == ["The Game"]
    assert warnings(parsed) == [(1, "no effective date was found")]


def test_groups_are_counted_by_number_not_by_title() -> None:
    body = (*BODY[:5], "101. Lanterns", *BODY[6:])
    assert parse(INTRODUCTION, body, GLOSSARY, CREDITS).num_groups == 2


def test_a_heading_may_be_the_last_line() -> None:
    parsed = parse(INTRODUCTION, BODY, GLOSSARY, ("Credits",), end="")
    assert (warnings(parsed), parsed.credits) == ([], "")


def test_a_date_is_looked_for_in_the_introduction_first_then_everywhere() -> None:
    later = ("Credits", "These rules are current as of April 2, 2004.")
    assert parse(INTRODUCTION, BODY, GLOSSARY, later).effective == date(2003, 3, 1)
    undated = changed(INTRODUCTION, 2, "These rules have no date.")
    assert parse(undated, BODY, GLOSSARY, later).effective == date(2004, 4, 2)
    parsed = parse(undated, BODY, GLOSSARY, CREDITS)
    assert (parsed.effective, warnings(parsed)) == (None, [(1, "no effective date was found")])


def test_a_group_of_the_contents_that_is_missing_is_named_by_its_line_there() -> None:
    introduction = changed(INTRODUCTION, 7, "101. Ferries", "102. Kettles")
    reason = "group 102 is listed in the contents and missing from the rules"
    assert warnings(parse(introduction, BODY, GLOSSARY, CREDITS)) == [(9, reason)]


def test_terms_are_named_by_their_lines() -> None:
    glossary = (
        "Glossary",
        "Moss",
        "Green.",
        "",
        "Kettle",
        "",
        "Lantern",
        "A thing that glows.",
        "",
        "Button",
        "",
    )
    parsed = parse(INTRODUCTION, BODY, glossary, CREDITS)
    assert [(term.term, term.text) for term in parsed.glossary] == [
        ("Moss", "Green."), ("Kettle", ""), ("Lantern", "A thing that glows."), ("Button", ""),
    ]  # fmt: skip
    assert warnings(parsed) == [
        (23, "a term without a definition: 'Kettle'"),
        (28, "a term without a definition: 'Button'"),
    ]


def test_a_file_without_glossary_says_that_and_where_it_ends() -> None:
    with pytest.raises(ImportFileError) as raised:
        parse(INTRODUCTION, BODY, end="")
    assert raised.value.message == "own.txt, line 18: the file ends before its glossary; it is cut."
    introduction = tuple(line for line in INTRODUCTION if line not in ("Glossary", "Credits"))
    with pytest.raises(ImportFileError) as raised:
        parse(introduction, BODY, end="")
    assert raised.value.message == "own.txt, line 16: the file ends before its glossary; it is cut."


def test_a_file_without_rules_says_where_they_should_be() -> None:
    with pytest.raises(ImportFileError) as raised:
        parse(INTRODUCTION, BODY[:3], GLOSSARY, CREDITS)
    assert raised.value.message == "own.txt, line 12: no numbered rule follows the contents."


def test_credits_without_a_heading_begin_with_their_words_and_that_is_said() -> None:
    introduction = tuple(line for line in INTRODUCTION if line != "Credits")
    body = changed(BODY, 6, "101.1. A ferry is published by nobody.")
    parsed = parse(introduction, body, GLOSSARY, ("Somebody", "Game design: Nobody", "All rights reserved."))
    assert parsed.credits == "Game design: Nobody\nAll rights reserved."
    assert warnings(parsed)[-1] == (22, "no heading of the credits follows the glossary")
    assert [term.term for term in parsed.glossary] == ["Lantern"]
    at_once = parse(introduction, body, ("Glossary", "Published by nobody."))
    assert at_once.credits == "Published by nobody."
    assert at_once.glossary == ()


def test_a_file_that_ends_after_its_glossary_is_cut_where_credits_were_promised() -> None:
    with pytest.raises(ImportFileError, match=r"own\.txt, line 23: the file ends before its credits"):
        parse(INTRODUCTION, BODY, GLOSSARY, end="")
    introduction = tuple(line for line in INTRODUCTION if line != "Credits")
    parsed = parse(introduction, BODY, GLOSSARY, end="")
    assert warnings(parsed) == [(22, "no heading of the credits follows the glossary")]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ((" 101.2. A ferry waits.",), [(19, "a rule stands behind white space")]),
        (("101.2: A ferry waits.",), [(19, "101.2: the number is not followed by one full stop or space")]),
        (("101.1a. It waits.",), [(19, "101.1a: a full stop after a subrule's letter")]),
        (("101.1a It waits.", "101.1b It goes."), []),
        (("101.1. It waits.",), [(19, "101.1 was used before in line 18; both are kept")]),
        (("100.2. It waits.",), [(19, "100.2 stands in group 101")]),
        (("101.2a It waits.",), [(19, "101.2a has no rule 101.2 before it")]),
        (("101.1l It waits.",), [(19, "101.1l: subrules have no letter l")]),
        (("101.1b It waits.",), [(19, "101.1b follows a gap: 101.1a is missing")]),
        (
            ("101.1a It waits.", "101.1c It goes."),
            [(20, "101.1c follows a gap: 101.1b is missing")],
        ),
        (("101. Ferries",), [(19, "group 101 has a second heading")]),
        (("17",), [(19, "a line of the page, not of the rules: 17")]),
        (("Invented Rules",), [(19, "a line of the page, not of the rules: Invented Rules")]),
        (("-----",), []),
        (("102. Kettles", "A kettle."), [(20, "text that belongs to no rule: A kettle.")]),
        (("101,1.2 waits.",), []),
        (("1101.1 waits.",), [(19, "looks like a rule, read as part of 101.1: 1101.1 waits.")]),
        (("2. Kettles", "A kettle."), [(20, "text that belongs to no rule: A kettle.")]),
        (("3. Kettles", "A kettle."), []),
        (("2. Kettles boil.",), []),
    ],
)
def test_an_irregular_line_of_the_rules_is_named_by_its_number(
    lines: tuple[str, ...], found: list[tuple[int, str]]
) -> None:
    assert in_body(*lines) == found


def test_a_long_line_is_quoted_by_its_beginning() -> None:
    kettle = "Kettle " * 12
    assert in_body("102. Kettles", kettle)[0][1] == f"text that belongs to no rule: {kettle[:60]}"
    almost = "1101.1 " + kettle
    assert in_body(almost)[0][1] == f"looks like a rule, read as part of 101.1: {almost[:40]}"
    introduction = changed(INTRODUCTION, 0, kettle.strip())
    parsed = parse(introduction, BODY, (kettle.strip(),), GLOSSARY, CREDITS)
    assert warnings(parsed) == [(19, f"a line of the page, not of the rules: {kettle[:60]}")]


def test_a_heading_behind_a_soft_break_ends_the_rule_before_it() -> None:
    lines = (f"101.2. It waits.{SOFT_BREAK}102. Kettles", "A kettle.")
    decoded = decode_rules_text("\n".join((*INTRODUCTION, *BODY, *GLOSSARY, *CREDITS)).encode(), "own.txt")
    decoded = replace(decoded, lines=(*decoded.lines[:18], *lines, *decoded.lines[18:]))
    assert (20, "text that belongs to no rule: A kettle.") in warnings(parse_rules_text(decoded, "own.txt"))


def test_lines_without_a_number_belong_to_what_stands_above_them() -> None:
    lines = ("It waits.", "Example: One waits.", "Then it goes.", "Examples: Two wait.", "-----")
    parsed = parse(INTRODUCTION, BODY, lines, GLOSSARY, CREDITS)
    rule = parsed.rules[-1]
    assert rule.text == "A ferry leaves.\nIt waits."
    assert rule.examples == ["One waits.\nThen it goes.", "Two wait."]


def test_sections_come_in_order() -> None:
    lines = ("2. Kettles", "200. Copper", "200.1. Copper shines.", "4. Drizzle", "2. Kettles")
    parsed = parse(INTRODUCTION, BODY, lines, GLOSSARY, CREDITS)
    assert [(section.number, section.title) for section in parsed.sections] == [
        ("1", "The Game"),
        ("2", "Kettles"),
    ]
    assert parsed.rules[-1].text == "Copper shines.\n4. Drizzle\n2. Kettles"
