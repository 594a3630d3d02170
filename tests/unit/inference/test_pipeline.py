from __future__ import annotations

import inspect
import threading
from pathlib import Path

import pytest

from hexcore_engine.errors import ModelMissingError
from hexcore_engine.inference.decoders.base import Decoder, StopSignal
from hexcore_engine.inference.decoders.scripted import KEPT_REQUESTS, ScriptedDecoder
from hexcore_engine.inference.pipeline import NOT_ROUTED_NOTE, HexcorePipeline
from hexcore_engine.inference.request import PipelineRequest
from hexcore_engine.models.router import TransactionClassifier
from hexcore_engine.protocol.events import (
    AnswerCompleted,
    AnswerFailed,
    AnswerStopped,
    CitationChecked,
    PassagesRetrieved,
    PlanMade,
    QuestionRouted,
    TextStreamed,
)
from hexcore_engine.protocol.records import TurnRecord
from hexcore_engine.settings import Settings
from tests.unit.inference.parts import PASSAGES, FixedRetriever, KnownNumbers, pipeline

QUESTION = "My trampler with deathtouch is blocked. What goes through?"


def test_the_public_signature_stands_as_the_plan_names_it() -> None:
    parameters = inspect.signature(HexcorePipeline.__init__).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items() if name != "self"}
    assert defaults == {
        "model_path": "mistralai/Mixtral-8x7B-v0.1",
        "expert_adapters_dir": "adapters",
        "device_map": "auto",
        "quantization_type": "4bit",
        "max_memory": None,
        "knowledge_db_path": None,
        "enable_memory_optimization": True,
    }
    generate = list(inspect.signature(HexcorePipeline.generate).parameters)
    assert generate == [
        "self",
        "query",
        "max_new_tokens",
        "temperature",
        "use_multiple_experts",
        "latency_budget_ms",
        "memory_budget_mb",
        "generation_kwargs",
    ]


def test_events_come_in_the_order_of_a_questions_life() -> None:
    events = list(pipeline().stream(QUESTION))
    kinds = [type(event) for event in events]
    assert kinds[:3] == [QuestionRouted, PassagesRetrieved, PlanMade]
    assert kinds[-1] is AnswerCompleted
    assert set(kinds[3:-1]) == {TextStreamed, CitationChecked}
    pieces = [event for event in events if isinstance(event, TextStreamed)]
    assert [piece.sequence for piece in pieces] == list(range(len(pieces)))
    outcome = events[-1]
    assert isinstance(outcome, AnswerCompleted)
    assert "".join(piece.text for piece in pieces) == outcome.response
    assert outcome.rules_release == "2026-01-16"


def test_the_text_arrives_in_pieces_while_it_is_written() -> None:
    events = list(pipeline(ScriptedDecoder(text="word " * 30, tokens_per_s=60)).stream(QUESTION))
    assert sum(isinstance(event, TextStreamed) for event in events) >= 4


def test_only_rules_that_were_retrieved_may_stand_in_brackets() -> None:
    decoder = ScriptedDecoder(tokens_per_s=0)
    list(pipeline(decoder).stream(QUESTION))
    assert decoder.requests[0].citable_rules == ("702.19b", "702.2c")


def test_an_answer_without_a_citation_says_so_in_its_text() -> None:
    *_, outcome = pipeline(ScriptedDecoder(text="It just works.", tokens_per_s=0)).stream(QUESTION)
    assert isinstance(outcome, AnswerCompleted)
    assert outcome.response.endswith("No rule was cited; the rules found are above.")


def test_evidence_alone_ends_without_a_model() -> None:
    events = list(pipeline().stream(PipelineRequest(QUESTION, use_model=False)))
    assert [type(event) for event in events] == [QuestionRouted, PassagesRetrieved, AnswerCompleted]
    outcome = events[-1]
    assert isinstance(outcome, AnswerCompleted)
    assert (outcome.response, outcome.usage, outcome.stop_reason) == ("", None, "no_model")


def test_a_failing_retriever_leaves_the_answer_alive_and_is_stated() -> None:
    events = list(pipeline(retriever=FixedRetriever(error=RuntimeError("disk"))).stream(QUESTION))
    found = events[1]
    assert isinstance(found, PassagesRetrieved)
    assert found.error is not None
    assert found.error.code == "HX-RETRIEVAL"
    assert isinstance(events[-1], AnswerCompleted)


def test_generate_tells_a_failed_retrieval_in_its_metadata() -> None:
    answer = pipeline(retriever=FixedRetriever(error=RuntimeError("disk"))).generate(QUESTION)
    assert answer["metadata"]["retrieval"]["fallback_applied"] is True
    assert answer["metadata"]["retrieval"]["results"] == []


def test_an_empty_question_is_refused_in_words() -> None:
    (outcome,) = pipeline().stream("   ")
    assert isinstance(outcome, AnswerFailed)
    assert outcome.error.code == "HX-USAGE"


def test_a_decoder_that_breaks_keeps_what_it_wrote() -> None:
    decoder = ScriptedDecoder(text="one two three four five", tokens_per_s=0, fail_after=3)
    *_, outcome = pipeline(decoder).stream(QUESTION)
    assert isinstance(outcome, AnswerFailed)
    assert outcome.response.split() == ["one", "two", "three"]
    assert outcome.error.code == "HX-DECODER"


def test_a_missing_model_ends_with_the_evidence_and_the_remedy() -> None:
    def missing() -> Decoder:
        raise ModelMissingError("There is no model.", "Run `hexcore setup`.")

    made = HexcorePipeline.from_parts(
        open_decoder=missing,
        retriever=FixedRetriever(),  # type: ignore[arg-type]
        knowledge=KnownNumbers(),  # type: ignore[arg-type]
        router=TransactionClassifier(),
        settings=Settings(),
    )
    *_, outcome = made.stream(QUESTION)
    assert isinstance(outcome, AnswerCompleted)
    assert outcome.stop_reason == "no_model"
    assert any("hexcore setup" in note for note in outcome.notes)


def test_a_stop_keeps_what_was_written() -> None:
    stop = StopSignal()
    decoder = ScriptedDecoder(text="word " * 200, tokens_per_s=100)
    events = []
    for event in pipeline(decoder).stream(QUESTION, stop):
        events.append(event)
        if isinstance(event, TextStreamed) and event.sequence == 1:
            threading.Thread(target=stop.set).start()
    outcome = events[-1]
    assert isinstance(outcome, AnswerStopped)
    assert outcome.stop_reason == "stopped"
    assert 0 < len(outcome.response.split()) < 200


def test_a_loop_is_ended_and_said() -> None:
    text = "The creature with the horn is blocked by two walls. " * 20
    *_, outcome = pipeline(ScriptedDecoder(text=text, tokens_per_s=0)).stream(QUESTION)
    assert isinstance(outcome, AnswerCompleted)
    assert any("repeat" in note for note in outcome.notes)
    assert len(outcome.response) < len(text)


def test_a_long_sentence_that_comes_a_second_time_ends_the_answer_and_a_short_one_does_not() -> None:
    long = "The creature with the horn was blocked by two walls, so its damage is divided among both of them."
    short = "That is all of it, in short."
    texts = (
        f"{long} It is so. {long} What follows is new.",
        f"{short} It is so. {short} What follows is new.",
    )
    answers = []
    for text in texts:
        *_, outcome = pipeline(ScriptedDecoder(text=text, tokens_per_s=0)).stream(QUESTION)
        assert isinstance(outcome, AnswerCompleted)
        answers.append((any("repeat" in note for note in outcome.notes), "new" in outcome.response))
    assert answers == [(True, False), (False, True)]


def test_follow_ups_repeat_earlier_turns_byte_for_byte() -> None:
    decoder = ScriptedDecoder(tokens_per_s=0)
    made = pipeline(decoder)
    events = list(made.stream(QUESTION))
    plan = next(event.plan for event in events if isinstance(event, PlanMade))
    outcome = events[-1]
    assert isinstance(outcome, AnswerCompleted)
    turn = TurnRecord(
        1, QUESTION, None, PASSAGES, outcome.response, (), None, "end", None, None, "", sent=plan.sent
    )
    list(made.stream(PipelineRequest("And if it has first strike?", history=(turn,))))
    first, second = decoder.requests
    assert second.messages[: len(first.messages)] == first.messages
    assert second.messages[len(first.messages)].content == outcome.response


def test_a_question_longer_than_the_context_says_what_was_left_out() -> None:
    decoder = ScriptedDecoder(tokens_per_s=0)
    events = list(pipeline(decoder).stream("why " * 25_000))
    plan = next(event.plan for event in events if isinstance(event, PlanMade))
    assert plan.given_up[0].name == "question"
    assert plan.prompt_tokens + plan.max_tokens <= plan.context_tokens
    assert isinstance(events[-1], AnswerCompleted)


@pytest.mark.parametrize("mode", ["TEACH", "PREDICT"])
def test_a_pinned_mode_wins(mode: str) -> None:
    routed = next(iter(pipeline().stream(PipelineRequest(QUESTION, mode=mode))))  # type: ignore[arg-type]
    assert isinstance(routed, QuestionRouted)
    assert (routed.choice.mode, routed.choice.pinned, routed.choice.confidence) == (mode, True, 1.0)


def test_a_router_without_weights_is_stated_and_the_answer_goes_on(tmp_path: Path) -> None:
    events = list(pipeline(router=TransactionClassifier(tmp_path)).stream(QUESTION))
    routed, outcome = events[0], events[-1]
    assert isinstance(routed, QuestionRouted)
    assert routed.choice.abstained
    assert {entry.probability for entry in routed.choice.ranked} == {0.2}
    assert NOT_ROUTED_NOTE in routed.notes
    assert isinstance(outcome, AnswerCompleted)
    assert NOT_ROUTED_NOTE in outcome.notes


def test_terminal_sequences_split_between_tokens_reach_nobody() -> None:
    class Hostile(ScriptedDecoder):
        def generate(self, request, stop):  # type: ignore[no-untyped-def]
            from hexcore_engine.inference.decoders.base import DecodedText, DecodeFinished

            for piece in ("safe \x1b", "[31", "mred\x1b]0;ti", "tle\x07 \u202eend \x9b2J."):
                yield DecodedText(piece)
            yield DecodeFinished("end", 1, 0, 4)

    *_, outcome = pipeline(Hostile(tokens_per_s=0)).stream(QUESTION)
    assert isinstance(outcome, AnswerCompleted)
    assert outcome.response.startswith("safe red end .")


def test_what_a_person_may_do_without_is_said_once() -> None:
    answering = pipeline(retriever=FixedRetriever(optional=("No lanterns are installed.",)))
    told = [
        event.notes
        for _ in range(3)
        for event in answering.stream(QUESTION)
        if isinstance(event, PassagesRetrieved)
    ]
    assert told == [("No lanterns are installed.",), (), ()]


def test_the_scripted_decoder_does_not_keep_every_prompt() -> None:
    decoder = ScriptedDecoder(tokens_per_s=0)
    answering = pipeline(decoder)
    for _ in range(KEPT_REQUESTS + 3):
        list(answering.stream(QUESTION))
    assert len(decoder.requests) == KEPT_REQUESTS
