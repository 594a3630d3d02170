"""The parser reads every shape a release has come in, counts as the definition says, and names the rest."""

from __future__ import annotations

import codecs
import itertools
import re
from collections import Counter
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexcore_engine.errors import ImportFileError
from hexcore_engine.knowledge.rules.decoding import decode_rules_text
from hexcore_engine.knowledge.rules.parser import ParsedRules, parse_rules_text
from tests.unit.knowledge.rules.counting import Counts, count
from tests.unit.knowledge.rules.own_release import OwnRelease, made_up_release, with_line_ends

LINE_ENDS = [("\n",), ("\r\n",), ("\r",), ("\r\n", "\r", "\n"), ("\r", "\r", "\n")]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "cp1252", "bare utf-16-le", "bare utf-16-be"]


def parse(content: bytes) -> ParsedRules:
    return parse_rules_text(decode_rules_text(content, "own.txt"), "own.txt")


def parse_lines(*lines: str, **options: object) -> ParsedRules:
    return parse(OwnRelease(groups={"100": list(lines)}, **options).text().encode())  # type: ignore[arg-type]


def words(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", text) if not word.startswith("Example")]


def reasons(parsed: ParsedRules) -> str:
    return "; ".join(f"{warning.line}: {warning.reason}" for warning in parsed.warnings)


def encode(text: str, encoding: str) -> bytes:
    if encoding.startswith("utf-16"):
        mark = codecs.BOM_UTF16_LE if encoding.endswith("le") else codecs.BOM_UTF16_BE
        return mark + text.encode(encoding)
    return text.encode(encoding.removeprefix("bare "))


@given(seed=st.integers(0, 10_000), encoding=st.sampled_from(ENCODINGS[:5]), ends=st.sampled_from(LINE_ENDS))
@settings(max_examples=60, deadline=None)
def test_counts_are_those_of_the_definition_in_every_encoding(
    seed: int, encoding: str, ends: tuple[str, ...]
) -> None:
    text = made_up_release(seed).text().replace("glow", "gl“o”w")
    content = encode(with_line_ends(text, ends), encoding)
    parsed = parse(content)
    assert Counts(parsed.num_rules, parsed.num_groups, parsed.num_examples) == count(content)
    assert parsed.encoding == encoding.removesuffix("-sig")
    assert parsed.effective == date(2003, 3, 1)
    assert len({rule.number for rule in parsed.rules}) == parsed.num_rules
    assert sum(len(rule.examples) for rule in parsed.rules) == parsed.num_examples


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_every_word_of_the_rules_is_kept(seed: int) -> None:
    release = made_up_release(seed)
    parsed = parse(release.text().encode())
    written = words(" ".join(line for lines in release.groups.values() for line in lines))
    kept = words(" ".join(f"{rule.number} {rule.text} {' '.join(rule.examples)}" for rule in parsed.rules))
    assert Counter(kept) == Counter(written)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_each_encoding_is_recognised(encoding: str) -> None:
    text = OwnRelease(groups={"100": ["100.1. A ferry—slow “and” late."]}).text()
    parsed = parse(encode(text, encoding))
    assert parsed.rules[0].text == "A ferry—slow “and” late."
    assert parsed.encoding == encoding.removeprefix("bare ").removesuffix("-sig")


@pytest.mark.parametrize(
    ("sentence", "effective"),
    [
        ("effective as of January 16, 2026.", date(2026, 1, 16)),
        ("current as of March 1, 2003.", date(2003, 3, 1)),
        ("current as of July 1st 2003.", date(2003, 7, 1)),
        ("effective as of Sept. 24, 2010.", date(2010, 9, 24)),
        ("effective as of 20 October 2004", date(2004, 10, 20)),
        ("effective as of\nMay 5, 2006.", date(2006, 5, 5)),
        ("effective as of\u00a0June\u00a01,\u00a02007", date(2007, 6, 1)),
        ("effective as of February 31, 2007", None),
        ("effective as of Smarch 1, 2007", None),
    ],
)
def test_the_effective_date_is_read_in_every_form(sentence: str, effective: date | None) -> None:
    text = OwnRelease(groups={"100": ["100.1. A ferry."]}).text()
    parsed = parse(text.replace("current as of March 1, 2003.", sentence).encode())
    assert parsed.effective == effective
    assert (effective is None) == ("no effective date" in reasons(parsed))


def test_a_number_used_twice_is_kept_twice_named_and_counted_once() -> None:
    parsed = parse_lines(
        "100.1. One ferry.", "100.1. Another ferry.", "100.1a A whistle.", "100.1a. A kettle."
    )
    assert [rule.text for rule in parsed.rules] == ["One ferry.", "Another ferry.", "A whistle.", "A kettle."]
    assert parsed.num_rules == 2
    assert "100.1 was used before in line" in reasons(parsed)
    assert "100.1a was used before in line" in reasons(parsed)


def test_forms_of_numbers() -> None:
    parsed = parse_lines(
        "100.1. With a full stop.",
        "100.2 Without one.",
        "100.2a\tBehind a tab.",
        "100.2b. With one too many.",
        "100.3.\u00a0Behind a space that does not break.",
        "  100.4. Indented.",
        "100.5.Without a space.",
        "100.6",
    )
    assert [rule.number for rule in parsed.rules] == [
        "100.1", "100.2", "100.2a", "100.2b", "100.3", "100.4", "100.5", "100.6",
    ]  # fmt: skip
    assert parsed.num_rules == 6
    assert parsed.rules[4].text == "Behind a space that does not break."
    said = reasons(parsed)
    for name in ("100.2b: a full stop", "100.5: the number", "100.6: the number", "behind white space"):
        assert name in said


def test_letters_skip_l_and_o_without_a_warning() -> None:
    letters = "abcdefghijkmnpq"
    parsed = parse_lines("100.1. A ferry.", *(f"100.1{letter} A kettle." for letter in letters))
    assert parsed.num_rules == 16
    assert not parsed.warnings
    assert "no letter l" in reasons(parse_lines("100.1. A ferry.", "100.1l A kettle."))


def test_forms_of_examples_and_second_paragraphs() -> None:
    parsed = parse_lines(
        "100.1. A ferry.",
        "     It floats.",
        "Example: One.",
        "Example Two.",
        "Examples: Three.",
        "_Example_: Four.",
        "It goes on.",
    )
    (rule,) = parsed.rules
    assert rule.text == "A ferry.\nIt floats."
    assert rule.examples == ["One.", "Two.", "Three.", "Four.\nIt goes on."]
    assert parsed.num_examples == 3


def test_page_headers_banners_and_page_breaks_are_not_part_of_rules() -> None:
    parsed = parse_lines(
        "100.1. A ferry.", "Invented Rules", "Page 3 of 90", "- 12 -", "--------", "\x0c100.2. A kettle.",
        "100.3. First line.\x0bSecond line.\x0bExample: One.",
    )  # fmt: skip
    assert [rule.text for rule in parsed.rules] == ["A ferry.", "A kettle.", "First line.\nSecond line."]
    assert parsed.rules[2].examples == ["One."]
    assert reasons(parsed).count("a line of the page") == 3


def test_blank_lines_padded_with_hard_spaces_are_blank() -> None:
    text = OwnRelease(
        groups={"100": ["100.1. A ferry."]}, glossary=[("Kettle", "Boils."), ("Moss", "Grows.")]
    )
    parsed = parse(text.text().replace("\n\n", "\n\u00a0\n").encode("cp1252"))
    assert [(term.term, term.text) for term in parsed.glossary] == [("Kettle", "Boils."), ("Moss", "Grows.")]
    assert parsed.rules[0].text == "A ferry."


@pytest.mark.parametrize(
    "glossary",
    [
        "Kettle\nBoils water.\n\nMoss\nGrows.\nSee rule 100.1.\n",
        "Kettle\n\nBoils water.\n\nMoss\n\nGrows.\nSee rule 100.1.\n",
        "Kettle\tBoils water.\n\nMoss\tGrows.\nSee rule 100.1.\n",
        "Kettle\x0bBoils water.\n\nMoss\x0bGrows.\x0bSee rule 100.1.\n",
    ],
)
def test_forms_of_the_glossary(glossary: str) -> None:
    text = OwnRelease(groups={"100": ["100.1. A ferry."]}, glossary=[]).text()
    parsed = parse(text.replace("Glossary\n\nCredits", f"Glossary\n\n{glossary}\nCredits").encode())
    found = [(term.term, term.text) for term in parsed.glossary]
    assert found == [("Kettle", "Boils water."), ("Moss", "Grows.\nSee rule 100.1.")]


def test_a_glossary_without_blank_lines_is_taken_apart_at_its_terms() -> None:
    entries = "".join(
        f"Thing {number}\nA thing that glows in {number} ways, all told.\n" for number in range(50)
    )
    text = OwnRelease(groups={"100": ["100.1. A ferry."]}, glossary=[]).text()
    parsed = parse(text.replace("Glossary\n\nCredits", f"Glossary\n{entries}\nCredits").encode())
    assert len(parsed.glossary) == 50
    assert parsed.glossary[7].term == "Thing 7"


def test_credits_may_be_missing_where_the_contents_name_none() -> None:
    parsed = parse_lines("100.1. A ferry.", credits=None)
    assert parsed.num_rules == 1
    assert "no heading of the credits" in reasons(parsed)


def test_credits_without_their_heading_are_found_by_their_words() -> None:
    text = OwnRelease(groups={"100": ["100.1. A ferry."]}).text()
    parsed = parse(text.replace("Credits\n\nNobody.", "Original Game Design: Nobody\n").encode())
    assert [term.term for term in parsed.glossary] == ["Lantern"]
    assert parsed.credits == "Original Game Design: Nobody"


def test_stray_controls_and_broken_bytes_are_left_out_and_named() -> None:
    content = OwnRelease(groups={"100": ["100.1. A fer\x00ry.", "100.2. A ket\x1b[31mtle."]}).text().encode()
    parsed = parse(content)
    assert [rule.text for rule in parsed.rules] == ["A ferry.", "A kettle."]
    assert reasons(parsed).count("control characters") == 2
    broken = parse(b"\xff\xfe" + content.decode().encode("utf-16-le").replace(b"k\0e\0t", b"\x00\xd8e\0t"))
    assert "bytes that are no text" in reasons(broken)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "own.txt is empty"),
        (b" \r\n\t", "own.txt is empty"),
        (b"\xef\xbb\xbf", "no line reads"),
        (b"%PDF-1.4", "a PDF"),
        (b"PK\x03\x04", "an archive"),
        (b"\x1f\x8b\x08", "a compressed file"),
        (b"\xd0\xcf\x11\xe0", "a Word document"),
        (bytes(range(256)) * 40, "line 1: binary data"),
        (b"\x00" * 5000, "line 1: binary data"),
        (b"good\nlines\n" + b"\x01\x02" * 400, "line 3: binary data"),
        (b"<div>" * 5000, "a web page"),
        (b"<!DOCTYPE html><p>100.1. A ferry.", "a web page"),
        (b"[" * 200_000, "line 1: 200,000 characters in one line"),
        (b"one\n" + b"100.1. A ferry. " * 700_000, "line 2: 11,200,000 characters in one line"),
        (b'{"a": ' * 9000, "no line reads"),
        (b"nothing of rules", "no line reads"),
        (b"1. The Game\n\nGlossary\n", "no numbered rule"),
    ],
    ids=itertools.count(),
)
def test_what_is_no_rules_file_is_one_error_with_its_place(content: bytes, said: str) -> None:
    with pytest.raises(ImportFileError, match=said) as raised:
        parse(content)
    assert "hexcore data import" in raised.value.remedy


def test_a_number_as_long_as_a_line_is_no_rule_number() -> None:
    parsed = parse_lines("100.1. A ferry.", f"100.{'1' * 50_000} glows.")
    assert parsed.num_rules == 1
    assert "looks like a rule" in reasons(parsed)


HOSTILE_LINES = {
    "white space": "effective" + " " * 90_000,
    "references": "rules 702" + ", 702 and 703" * 7000,
    "line breaks": "a\x0b" * 45_000,
    "tabs": "a\t" * 45_000,
    "dots": "100.2" + " ." * 45_000,
    "signs": "_*" * 45_000,
    "apostrophes": "a'" * 45_000,
}


@pytest.mark.parametrize("line", HOSTILE_LINES.values(), ids=HOSTILE_LINES.keys())
def test_long_hostile_lines_are_read_in_linear_time(line: str) -> None:
    glossary = [("Term", line)] * 3
    parsed = parse_lines("100.1. A ferry.", *[line] * 10, "100.9. A kettle.", glossary=glossary)
    assert parsed.rules[-1].text == "A kettle."


@given(share=st.floats(0.0, 0.999), seed=st.integers(0, 50))
@settings(max_examples=50, deadline=None)
def test_a_cut_file_is_refused_or_whole_up_to_its_credits(share: float, seed: int) -> None:
    text = made_up_release(seed).text()
    cut = text[: int(len(text) * share)]
    try:
        parsed = parse(cut.encode())
    except ImportFileError as error:
        assert "own.txt" in error.message  # noqa: PT017 - either outcome is good
    else:
        assert "Credits" in cut.rsplit("Glossary", 1)[1]
        assert parsed.num_rules == parse(text.encode()).num_rules


@given(content=st.binary(max_size=3000))
@settings(max_examples=150, deadline=None)
def test_any_bytes_give_a_release_or_one_error(content: bytes) -> None:
    own = OwnRelease(groups={"100": ["100.1. A ferry."]}).text().encode()
    for whole in (content, own[:200] + content + own[200:]):
        try:
            parse(whole)
        except ImportFileError as error:
            assert "own.txt" in error.message  # noqa: PT017 - either outcome is good
