from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the torch extra is not installed")

from hexcore_engine.inference.citation_mask import CitationMask, TokenTexts  # noqa: E402

TEXTS = [
    "",
    "a",
    " [",
    "[",
    "]",
    "702",
    "510",
    ".19b",
    ".1c",
    "b]",
    "[[",
    "[702",
    ".19b].",
    "x[510",
    "1",
    ".",
]
RULES = ("702.19b", "510.1c")


def write(rules: tuple[str, ...], wishes: list[int]) -> str:
    """Draw the allowed token nearest to each wish, as a sampler would."""
    mask = CitationMask(TokenTexts(TEXTS), rules)
    written = ""
    for wish in wishes:
        logits = -(torch.arange(len(TEXTS)) - wish).abs().float()
        token = int(mask.apply(logits).argmax())
        mask.advance(token)
        written += TEXTS[token]
    return written


@given(st.lists(st.integers(0, len(TEXTS) - 1), max_size=30))
def test_brackets_hold_retrieved_numbers_alone(wishes: list[int]) -> None:
    written = write(RULES, wishes)
    parts = written.split("[")
    assert "]" not in parts[0]
    for number, part in enumerate(parts[1:], 1):
        inside, closed, after = part.partition("]")
        if closed:
            assert inside in RULES
            assert "]" not in after
        else:
            assert number == len(parts) - 1
            assert any(rule.startswith(inside) for rule in RULES)


@given(st.lists(st.integers(0, len(TEXTS) - 1), max_size=20))
def test_without_rules_no_bracket_is_written(wishes: list[int]) -> None:
    assert not set("[]") & set(write((), wishes))


def test_an_answer_does_not_end_inside_a_bracket() -> None:
    mask = CitationMask(TokenTexts(TEXTS), RULES)
    mask.advance(TEXTS.index("["))
    assert mask.apply(torch.zeros(len(TEXTS)))[0] == float("-inf")
