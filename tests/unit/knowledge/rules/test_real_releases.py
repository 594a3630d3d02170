"""The official releases at hand: counts by the definition, the examples of every rule, and warnings few."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from hexcore_engine.knowledge.rules.parser import parse_rules_file
from tests.unit.knowledge.rules.counting import Counts, count, plain_text, releases_in

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
