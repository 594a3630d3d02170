from __future__ import annotations

import math
from typing import Any

import pytest

from hexcore_engine.errors import HexcoreError, LatencyBudgetError
from hexcore_engine.errors import MemoryError as BudgetMemoryError
from hexcore_engine.inference.budget import Admission, admit
from hexcore_engine.inference.decoders.base import (
    DecodedStep,
    DecodedText,
    DecodeFinished,
    DecodeRequest,
    DecoderMemory,
    StopSignal,
)
from hexcore_engine.inference.decoders.scripted import ScriptedDecoder
from hexcore_engine.inference.degradation import MIN_ANSWER_TOKENS, UNMEASURED, Pace
from hexcore_engine.inference.request import PipelineRequest
from hexcore_engine.protocol.events import AnswerFailed, AnswerOutcome, PassagesRetrieved, PlanMade
from hexcore_engine.protocol.records import Passage
from hexcore_engine.settings import Settings
from tests.unit.inference.parts import pipeline

MIB = 2**20
QUESTION = "My trampler with deathtouch is blocked. What goes through?"
PASSAGES = tuple(
    Passage("rule", f"702.{number}a", "Lantern", "A lit lantern stays lit. " * 12, "x", "s")
    for number in range(1, 6)
)


class WeighedDecoder(ScriptedDecoder):
    """The scripted decoder with weights of 100 MiB, 20 MiB of kept prompts and 0.1 MiB a token."""

    def memory(self) -> DecoderMemory:
        return DecoderMemory(
            100 * MIB,
            20 * MIB,
            0,
            "measured",
            (),
            bytes_per_token=MIB // 10,
            step_bytes=5 * MIB,
            releasable_bytes=20 * MIB,
        )


def plan(pace: Pace = UNMEASURED, num_experts: int = 1, **budgets: Any) -> Admission:
    request = PipelineRequest(QUESTION, **budgets)
    return admit(request, ("REASON",), PASSAGES, WeighedDecoder(), Settings(), pace, num_experts)


def given_up(admission: Admission) -> list[str]:
    return [step.name for step in admission.plan.given_up]


def test_without_budgets_nothing_is_given_up_and_the_peak_is_told() -> None:
    admission = plan()
    assert given_up(admission) == []
    tokens = admission.plan.prompt_tokens + admission.plan.max_tokens
    assert admission.plan.predicted_peak_bytes == 125 * MIB + tokens * (MIB // 10)
    assert admission.cache_limit_bytes is None


def test_time_is_predicted_from_measured_rates() -> None:
    admission = plan(Pace(100.0, 10.0))
    expected = admission.plan.prompt_tokens * 10 + admission.plan.max_tokens * 100
    assert admission.plan.predicted_time_ms == pytest.approx(expected)
    assert plan().plan.predicted_time_ms is None


def test_steps_come_in_the_order_of_the_ladder_and_stop_where_it_fits() -> None:
    whole = plan().plan.predicted_peak_bytes or 0
    met = []
    for budget_mb in range(whole // MIB + 1, 100, -1):
        try:
            admission = plan(memory_budget_mb=budget_mb, num_experts=1)
        except BudgetMemoryError:
            break
        assert (admission.plan.predicted_peak_bytes or 0) <= budget_mb * MIB
        met += [tuple(given_up(admission))]
    assert list(dict.fromkeys(met)) == [
        (),
        ("passages",),
        ("passages", "length"),
        ("passages", "length", "cache"),
    ]


def test_passages_go_one_by_one_and_no_further_than_needed_nor_below_two() -> None:
    whole = plan().plan.predicted_peak_bytes or 0
    one_less = next(
        admission
        for budget_mb in range(whole // MIB, 100, -1)
        if (admission := plan(memory_budget_mb=budget_mb)).plan.num_passages < len(PASSAGES)
    )
    assert one_less.plan.num_passages == len(PASSAGES) - 1
    shorter = next(
        admission
        for budget_mb in range(whole // MIB, 100, -1)
        if "length" in given_up(admission := plan(memory_budget_mb=budget_mb))
    )
    assert shorter.plan.num_passages == 2


def test_experts_write_alone_before_the_answer_is_shortened() -> None:
    two = plan(num_experts=2).plan.predicted_peak_bytes or 0
    one = plan(num_experts=1).plan.predicted_peak_bytes or 0
    admission = plan(num_experts=2, memory_budget_mb=(one + 1) / MIB)
    assert one < two
    assert given_up(admission) == ["passages", "collaboration"]
    assert admission.num_experts == 1


def test_an_answer_is_shortened_to_its_time() -> None:
    pace = Pace(1000.0, 10.0)
    admission = plan(pace, latency_budget_ms=10_000)
    assert given_up(admission)[-1] == "length"
    assert MIN_ANSWER_TOKENS <= admission.max_tokens < 100
    assert (admission.plan.predicted_time_ms or 0) <= 10_000


def test_a_step_that_helps_nothing_is_not_taken() -> None:
    # Nothing was measured of reading, so fewer passages save no time.
    admission = plan(Pace(None, 10.0), latency_budget_ms=10_000)
    assert given_up(admission) == ["length"]
    assert admission.plan.num_passages == len(PASSAGES)


def test_what_fits_no_memory_is_refused_with_the_numbers() -> None:
    with pytest.raises(
        BudgetMemoryError, match=r"weights 100, workspace 5, this answer \d+\).* 101 MiB"
    ) as caught:
        plan(memory_budget_mb=101)
    assert "memory budget" in caught.value.remedy


def test_what_fits_no_time_is_refused_with_the_rates() -> None:
    with pytest.raises(
        LatencyBudgetError, match=r"100 read and 10 written tokens a second\); the budget is 50 ms"
    ):
        plan(Pace(100.0, 10.0), latency_budget_ms=50)


def test_a_speed_that_was_only_supposed_refuses_nothing() -> None:
    assert plan(latency_budget_ms=50).max_tokens == MIN_ANSWER_TOKENS


def test_who_gives_nothing_up_is_refused_at_once() -> None:
    with pytest.raises(BudgetMemoryError):
        plan(memory_budget_mb=140, give_up=False)
    assert plan(memory_budget_mb=140)


@pytest.mark.parametrize("budget", [0, -1, math.nan])
@pytest.mark.parametrize("name", ["latency_budget_ms", "memory_budget_mb"])
def test_budgets_of_nothing_are_refused_before_a_model_is_opened(name: str, budget: float) -> None:
    made = pipeline()
    *_, found, outcome = made.stream(PipelineRequest(QUESTION, **{name: budget}))  # type: ignore[arg-type]
    assert isinstance(found, PassagesRetrieved)
    assert isinstance(outcome, AnswerFailed)
    assert outcome.error.code == ("HX-LATENCY" if name == "latency_budget_ms" else "HX-MEMORY")
    assert made.generate(QUESTION)["response"]
    with pytest.raises(HexcoreError, match="leaves no"):
        made.generate(QUESTION, **{name: budget})  # type: ignore[arg-type]


def test_an_endless_budget_is_none() -> None:
    assert given_up(plan(memory_budget_mb=math.inf, latency_budget_ms=math.inf)) == []


def test_a_step_taken_in_mid_answer_is_in_the_events_and_in_the_metadata() -> None:
    class Narrowed(ScriptedDecoder):
        def generate(self, request: DecodeRequest, stop: StopSignal) -> Any:
            yield DecodedText("Half of ")
            yield DecodedStep("cache", "gave up 3.0 MiB of prompts kept for later questions")
            yield DecodedText("the answer.")
            yield DecodeFinished("budget", 10, 0, 2)

    events = list(pipeline(Narrowed()).stream(QUESTION))
    plans = [event.plan for event in events if isinstance(event, PlanMade)]
    assert [len(made.given_up) for made in plans][-1] == len(plans[0].given_up) + 1
    outcome = events[-1]
    assert isinstance(outcome, AnswerOutcome)
    assert (outcome.response, outcome.stop_reason) == ("Half of the answer.", "budget")
    metadata = pipeline(Narrowed()).generate(QUESTION)["metadata"]
    assert metadata["plan"]["given_up"][-1]["name"] == "cache"


def test_the_memory_budget_bounds_the_decoders_cache() -> None:
    assert plan(memory_budget_mb=200).cache_limit_bytes == 95 * MIB


def test_generation_options_reach_the_decoder_and_others_are_named() -> None:
    decoder = ScriptedDecoder(tokens_per_s=0)
    options: dict[str, Any] = {
        "top_p": 0.5,
        "min_p": 0.1,
        "repetition_penalty": 1.3,
        "stop": ("Read",),
        "seed": 9,
    }
    pipeline(decoder).generate(QUESTION, **options)
    (request,) = decoder.requests
    assert {name: getattr(request, name) for name in options} == options
    with pytest.raises(HexcoreError, match="does not know top_q"):
        pipeline(decoder).generate(QUESTION, top_q=1)


@pytest.mark.parametrize(
    ("name", "values", "wanted"),
    [
        ("max_tokens", (0, -3, 2.5, "x"), "a whole number from 1"),
        ("seed", ("x", 2**63, 0.5), "a whole number from"),
        ("temperature", (-0.1, math.nan, math.inf, "hot"), "0 or more"),
        ("top_p", (0, 1.01, math.nan, "x"), "more than 0 and at most 1"),
        ("min_p", (-0.1, 1.01, math.nan), "between 0 and 1"),
        ("repetition_penalty", (0, -1, math.inf), "more than 0"),
        ("stop", ("a", ("",), [3], None), "a tuple of texts"),
        ("mode", ("NOPE", "", 3), "one of"),
        ("latency_budget_ms", ("x",), "a number"),
        ("memory_budget_mb", ("x",), "a number"),
        ("question", (None, 5, b"x"), "string"),
    ],
)
def test_what_no_answer_can_be_written_with_is_named_before_anything_is_looked_for(
    name: str, values: tuple[Any, ...], wanted: str
) -> None:
    decoder = ScriptedDecoder(tokens_per_s=0)
    made = pipeline(decoder)
    for value in values:
        (outcome,) = made.stream(PipelineRequest(**{"question": QUESTION, name: value}))
        assert isinstance(outcome, AnswerFailed)
        assert outcome.error.code == "HX-USAGE"
        assert wanted in outcome.error.remedy
        assert name in outcome.error.message
    assert not decoder.requests


def test_the_ends_of_each_range_are_taken() -> None:
    options: dict[str, Any] = {"temperature": 0, "top_p": 1, "min_p": 1, "repetition_penalty": 0.5}
    assert pipeline().generate(QUESTION, max_new_tokens=1, seed=-(2**63), stop=["Never"], **options)[
        "response"
    ]
