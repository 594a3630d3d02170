"""What `hexcore ask` says and refuses before an engine is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hexcore_engine.cli.ask import understood_words
from hexcore_engine.cli.main import main
from hexcore_engine.models.router import pinned, undecided
from hexcore_engine.protocol.records import MODE_NAMES, ModeChoice, ModeProbability

RANKED = tuple(map(ModeProbability, MODE_NAMES, (0.4, 0.3, 0.15, 0.1, 0.05)))


def test_the_mode_is_said_and_where_it_is_unsure_both_and_how_to_say_which() -> None:
    assert understood_words(ModeChoice("REASON", 0.83, ranked=RANKED)) == "understood as reason (83%)"
    unsure = understood_words(ModeChoice("REASON", 0.4, abstained=True, ranked=RANKED))
    assert unsure == "reason or explain? (answered as reason; --mode explain for the other)"
    assert understood_words(undecided()) == "mode reason, a mere guess (--mode chooses one)"
    assert understood_words(pinned("TEACH")) == "understood as teach (100%)"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--experts", "0"], "0 experts can't write"),
        (["--experts", "6"], "6 experts can't write"),
        (["--experts", "2", "--mode", "teach"], "TEACH was chosen"),
        (["--experts", "two"], "--experts"),
        (["--max-tokens", "0"], "--max-tokens: a whole number from 1 to 1,000,000 is wanted, not '0'"),
        (["--max-tokens", "9" * 20], "--max-tokens"),
        (["--max-tokens", "9" * 5_000], "--max-tokens"),
    ],
)
def test_numbers_that_cant_be_are_refused_as_wrong_use(
    words: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert part in refusal(words, capsys)["message"]


@pytest.mark.parametrize(
    ("words", "part", "known"),
    [
        (["--decoder", "lama"], "no decoder 'lama'", "Known: llama_cpp, openai, torch, scripted."),
        (["--decoder", "torhc", "--model", "scripted"], "no decoder 'torhc'", "Did you mean torch?"),
        (["--quantization", "5bit"], "no quantization '5bit'", "4bit, 8bit, none"),
        (["--mode", "explian"], "no mode 'explian'", "Did you mean explain?"),
    ],
)
def test_a_word_that_is_none_of_a_few_is_refused_before_the_engine_is_asked_and_they_are_named(
    words: list[str], part: str, known: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refusal(words, capsys)
    assert part in error["message"]
    assert known in error["remedy"]


def refusal(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The error of a question that is asked so."""
    assert main(["ask", "What now?", *words, "--json"]) == 2
    error: dict[str, Any] = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "HX-USAGE"
    return error
