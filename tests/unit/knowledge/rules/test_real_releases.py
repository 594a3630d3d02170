"""The official releases at hand: counts by the definition, the examples of every rule, and warnings few."""

from __future__ import annotations

import os
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from hexcore_engine.knowledge.rules.parser import parse_rules_file
from tests.unit.knowledge.rules.counting import Counts, count, plain_text, releases_in
from tests.unit.knowledge.rules.own_release import with_line_ends
from tests.unit.knowledge.rules.test_parser import ENCODINGS, encode, parse

ROOT = Path(__file__).resolve().parents[4]
FOLDER = Path(os.environ.get("HEXCORE_TEST_DATA") or ROOT.parent / "shared" / "data")
FILES = releases_in(FOLDER)

pytestmark = pytest.mark.skipif(not FILES, reason=f"no official rules files in {FOLDER}")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_counts_and_date_are_exact(file: Path) -> None:
    parsed = parse_rules_file(file)
    assert Counts(parsed.num_rules, parsed.num_groups, parsed.num_examples) == count(file.read_bytes())
    assert parsed.effective is not None
    assert parsed.effective.isoformat() in file.stem
    assert sum(len(rule.examples) for rule in parsed.rules) == parsed.num_examples


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_counts_are_exact_in_every_encoding_with_mixed_line_ends(file: Path, encoding: str) -> None:
    text = plain_text(file.read_bytes())
    # What Windows-1252 lacks stands in no line the counts look at.
    fit = text.encode("cp1252", "replace").decode("cp1252") if encoding == "cp1252" else text
    parsed = parse(encode(with_line_ends(fit, ("\r", "\r\n", "\r", "\n")), encoding))
    assert Counts(parsed.num_rules, parsed.num_groups, parsed.num_examples) == count(file.read_bytes())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_release_in_the_dress_of_2003_is_counted_alike(file: Path) -> None:
    text = plain_text(file.read_bytes()).replace("\n1. Game Concepts\n", "\n1. The Game\n")
    text = re.sub("effective as of .*", "current as of March 1, 2003.", text, count=1)
    # A number used twice, as in a handful of old files: kept, named, counted once.
    (again,) = re.findall(r"^100\.2\. .*$", text, re.MULTILINE)
    text = text.replace(again, f"{again}\n\n{again} Thus.")
    parsed = parse(text.encode())
    assert parsed.effective == date(2003, 3, 1)
    assert Counts(parsed.num_rules, parsed.num_groups, parsed.num_examples) == count(text.encode())
    assert parsed.num_rules == parse_rules_file(file).num_rules
    assert [rule.text for rule in parsed.rules if rule.number == "100.2"][1].endswith("Thus.")
    assert "100.2 was used before" in " ".join(warning.reason for warning in parsed.warnings)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_word_is_kept(file: Path) -> None:
    parsed = parse_rules_file(file)
    parts = [f"{heading.number}. {heading.title}" for heading in (*parsed.sections, *parsed.groups)]
    parts += [f"{rule.number} {rule.text} {' '.join(rule.examples)}" for rule in parsed.rules]
    text = plain_text(file.read_bytes())
    start = max(text.rfind(f"\n1. {name}\n") for name in ("Game Concepts", "The Game"))
    body = text[start : text.rfind("\nGlossary\n")]
    assert words(" ".join(parts)) == words(body)


def words(text: str) -> Counter[str]:
    return Counter(word for word in re.findall(r"\w+", text) if word != "Example")


def test_irregular_lines_are_few_and_named() -> None:
    for file in FILES:
        assert len(parse_rules_file(file).warnings) < 10
