"""Fitting a prompt into a context: what goes first, what is cut where, and what is said about it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hexcore_engine.errors import ContextOverflowError
from hexcore_engine.inference import budget
from hexcore_engine.inference.budget import Admission, admit, choose_passages
from hexcore_engine.inference.decoders.base import ChatMessage
from hexcore_engine.inference.decoders.scripted import ScriptedDecoder
from hexcore_engine.inference.prompt import messages_for, user_message
from hexcore_engine.inference.request import PipelineRequest
from hexcore_engine.models.catalog import SCRIPTED_MODEL
from hexcore_engine.protocol.records import ModelRecord, Passage, TurnRecord
from hexcore_engine.settings import AnswerSettings, Settings

QUESTION = "Does the lantern glow?"


def passage(number: int, kind: Any = "rule", text: str = "A lit lantern stays lit.") -> Passage:
    return Passage(kind, f"702.{number}a", "Lantern", text, "x", "s")


def turn(number: int, sent: str = "Earlier question") -> TurnRecord:
    return TurnRecord(
        turn_id=number, question="Earlier?", mode=None, passages=(), response=f"Answer {number}.",
        citations=(), usage=None, stop_reason="end", rules_release=None, model=None, asked_at="2031-01-01",
        sent=f"{sent} {number}" if sent else "",
    )  # fmt: skip


class NarrowDecoder(ScriptedDecoder):
    """The scripted decoder with a context of any size; a token is a word."""

    def __init__(self, context_tokens: int, small: bool = True) -> None:
        super().__init__(tokens_per_s=0)
        self._context_tokens = context_tokens
        self._small = small

    @property
    def context_tokens(self) -> int:
        return self._context_tokens

    @property
    def model(self) -> ModelRecord:
        return msgspec.structs.replace(SCRIPTED_MODEL, small=self._small)


def words(messages: tuple[ChatMessage, ...]) -> int:
    return ScriptedDecoder().count_tokens(messages)


def fit(
    context_tokens: int,
    passages: tuple[Passage, ...] = (),
    history: tuple[TurnRecord, ...] = (),
    question: str = QUESTION,
    max_tokens: int | None = 10,
    settings: Settings | None = None,
) -> Admission:
    request = PipelineRequest(question, max_tokens=max_tokens, history=history)
    return admit(request, ("REASON",), passages, NarrowDecoder(context_tokens), settings or Settings())


def steps(admission: Admission) -> list[tuple[str, str]]:
    return [(step.name, step.detail) for step in admission.plan.given_up]


def prompt_words(num_passages: int = 0, num_turns: int = 0, question: str = QUESTION) -> int:
    """Words of the whole prompt with so many passages and turns."""
    passages = tuple(passage(number) for number in range(num_passages))
    history = tuple(turn(number) for number in range(num_turns))
    return words(messages_for(history, user_message(question, ("REASON",), passages)))


def test_what_fits_is_left_as_it_is() -> None:
    passages = (passage(0), passage(1), passage(2))
    admission = fit(prompt_words(3) + 10, passages)
    assert steps(admission) == []
    assert admission.passages == passages
    assert admission.max_tokens == 10
    assert (admission.plan.prompt_tokens, admission.plan.context_tokens) == (
        prompt_words(3), prompt_words(3) + 10,
    )  # fmt: skip
    assert admission.plan.sent == admission.messages[-1].content


def test_one_token_too_few_costs_the_last_passage() -> None:
    admission = fit(prompt_words(4) + 9, tuple(passage(number) for number in range(4)))
    assert [found.id for found in admission.passages] == ["702.0a", "702.1a", "702.2a"]
    assert steps(admission) == [("passages", "the model reads 3 of the 4 passages shown")]


def test_two_passages_outlast_the_earlier_turns_and_the_newest_turn_the_oldest() -> None:
    passages = tuple(passage(number) for number in range(4))
    history = tuple(turn(number) for number in range(3))
    admission = fit(prompt_words(2, 1) + 10, passages, history)
    assert len(admission.passages) == 2
    assert [message.content for message in admission.messages if message.role == "assistant"] == ["Answer 2."]
    assert steps(admission) == [
        ("passages", "the model reads 2 of the 4 passages shown"),
        ("history", "left out the 2 oldest of 3 earlier turns"),
    ]


def test_earlier_turns_go_one_by_one() -> None:
    history = tuple(turn(number) for number in range(3))
    admission = fit(prompt_words(0, 2) + 10, history=history)
    assert [message.content for message in admission.messages if message.role == "assistant"] == [
        "Answer 1.",
        "Answer 2.",
    ]
    assert steps(admission) == [("history", "left out the 1 oldest of 3 earlier turns")]


def test_without_earlier_turns_the_last_passages_go_too() -> None:
    admission = fit(prompt_words(0) + 10, (passage(0), passage(1)))
    assert admission.passages == ()
    assert steps(admission) == [("passages", "the model reads 0 of the 2 passages shown")]


def test_a_context_that_holds_no_question_is_refused_with_both_numbers() -> None:
    with pytest.raises(ContextOverflowError) as raised:
        fit(prompt_words(0) + 9, (passage(0),))
    assert raised.value.message == f"The question takes {prompt_words(0)} tokens; {prompt_words(0) - 1} fit."


def test_half_of_the_context_is_always_left_to_the_prompt() -> None:
    needed = prompt_words(0)
    admission = fit(2 * needed, max_tokens=10_000)
    assert admission.max_tokens == needed
    assert steps(admission) == [("length", f"the answer may hold {needed} tokens instead of 10000")]
    with pytest.raises(ContextOverflowError):
        fit(2 * needed - 2, max_tokens=10_000)


def test_an_answer_just_as_long_as_what_is_left_is_not_shortened() -> None:
    assert steps(fit(prompt_words(0) + 10, max_tokens=10)) == []


def test_without_a_length_the_settings_decide() -> None:
    settings = Settings(answer=AnswerSettings(max_tokens=7))
    assert fit(1000, max_tokens=None, settings=settings).max_tokens == 7
    assert fit(1000, max_tokens=9, settings=settings).max_tokens == 9


def test_turns_that_no_model_answered_are_not_sent() -> None:
    admission = fit(1000, history=(turn(0, sent=""), turn(1)))
    assert [message.content for message in admission.messages if message.role == "assistant"] == ["Answer 1."]
    assert steps(admission) == []


def test_the_middle_of_an_endless_question_is_left_out_and_told() -> None:
    question = " ".join(f"w{number:05}" for number in range(2000))
    admission = fit(1000, question=question)
    kept = next(part for part in admission.plan.sent.split("\n") if " … " in part)
    beginning, end = kept[kept.index("w00000") :].split(" … ")
    assert question.startswith(beginning)
    assert question.endswith(end)
    assert 1.9 < len(beginning) / len(end) < 2.1
    left_out = len(question) - len(f"{beginning} … {end}")
    assert steps(admission) == [
        ("question", f"left out {left_out:,} of the question's {len(question):,} characters, in the middle")
    ]
    # The room that is kept for evidence.
    assert admission.plan.prompt_tokens <= 0.8 * (1000 - 10)
    assert len(beginning) + len(end) > 2 * budget.MIN_QUESTION_CHARACTERS


def test_a_long_question_that_just_fits_is_left_whole() -> None:
    question = " ".join(f"w{number:05}" for number in range(100))
    needed = prompt_words(0, question=question)
    assert steps(fit(needed + 10, question=question)) == []
    assert steps(fit(needed + 9, question=question))[0][0] == "question"


def test_one_expert_writes_unless_told_otherwise() -> None:
    admission = fit(1000)
    assert admission.num_experts == 1
    assert Admission((), (), 1, admission.plan).num_experts == 1


def test_a_question_is_never_cut_below_its_least_length() -> None:
    question = "w " * 300
    with pytest.raises(ContextOverflowError):
        fit(60, question=question)
    short = "w " * (budget.MIN_QUESTION_CHARACTERS // 2)
    with pytest.raises(ContextOverflowError, match=rf"takes {prompt_words(0, question=short)} tokens"):
        fit(60, question=short)


def test_a_small_model_reads_few_and_short_passages() -> None:
    long = "A lit lantern stays lit. " * 200
    passages = (
        *(passage(number, text=long) for number in range(8)),
        *(passage(number, "card") for number in range(20, 24)),
    )
    chosen = choose_passages(passages, small=True, limit=0)
    assert [found.id for found in chosen] == [f"702.{number}a" for number in (0, 1, 2, 3, 4, 20, 21)]
    assert all(len(found.text) <= budget.SMALL_MODEL_PASSAGE_CHARACTERS + 2 for found in chosen)
    whole_words = long[: budget.SMALL_MODEL_PASSAGE_CHARACTERS].rsplit(" ", 1)[0]
    assert chosen[0].text == f"{whole_words} …"


def test_a_large_model_reads_more() -> None:
    passages = (
        *(passage(number) for number in range(14)),
        *(passage(number, "ruling") for number in range(20, 34)),
    )
    chosen = choose_passages(passages, small=False, limit=0)
    assert [found.kind for found in chosen] == ["rule"] * 12 + ["ruling"] * 12
    exact = passage(1, text="x" * budget.LARGE_MODEL_PASSAGE_CHARACTERS)
    assert choose_passages((exact,), small=False, limit=0) == (exact,)
    longer = passage(1, text="x " * budget.LARGE_MODEL_PASSAGE_CHARACTERS)
    assert choose_passages((longer,), small=False, limit=0)[0].text.endswith("x …")


def test_a_limit_counts_more_than_the_models_size() -> None:
    passages = tuple(passage(number, "digest") for number in range(9))
    assert len(choose_passages(passages, small=True, limit=7)) == 7
    assert len(choose_passages(passages, small=False, limit=3)) == 3
    settings = Settings(answer=AnswerSettings(rules_in_prompt=2))
    assert steps(fit(1000, passages, settings=settings)) == [
        ("passages", "the model reads 2 of the 9 passages shown")
    ]


def test_passages_keep_their_order_and_shortened_ones_are_counted() -> None:
    long = "A lit lantern stays lit. " * 60
    passages = (passage(1, "card"), passage(2, text=long), passage(3, "glossary"))
    admission = fit(4000, passages)
    assert [found.id for found in admission.passages] == ["702.1a", "702.2a", "702.3a"]
    assert steps(admission) == [
        ("passages", "the model reads 3 of the 3 passages shown, 1 of them shortened")
    ]
