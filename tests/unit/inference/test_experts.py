from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hexcore_engine.inference.decoders.base import (
    DecodedText,
    DecodeFinished,
    DecodeRequest,
    Expert,
    StopSignal,
)
from hexcore_engine.inference.decoders.scripted import ScriptedDecoder
from hexcore_engine.inference.experts import experts_for
from hexcore_engine.inference.pipeline import HexcorePipeline
from hexcore_engine.inference.prompt import MODE_STYLES
from hexcore_engine.inference.request import PipelineRequest
from hexcore_engine.knowledge.retriever import Retrieval
from hexcore_engine.models.cross_expert import GATE_NAME
from hexcore_engine.models.router import (
    FOLDER,
    MEANING_WEIGHTS_NAME,
    TransactionClassifier,
    pinned,
    undecided,
)
from hexcore_engine.models.router_model import load_model
from hexcore_engine.protocol.events import (
    AnswerCompleted,
    AnswerFailed,
    PassagesRetrieved,
    PlanMade,
    QuestionRouted,
)
from hexcore_engine.protocol.records import MODE_NAMES, ModeChoice, ModeName, ModeProbability
from hexcore_engine.settings import AnswerSettings, Settings
from tests.unit.inference.parts import FixedRetriever, KnownNumbers

SHARES: tuple[tuple[ModeName, float], ...] = (
    ("TEACH", 0.3),
    ("REASON", 0.2),
    ("EXPLAIN", 0.18),
    ("PREDICT", 0.17),
    ("RETROSPECT", 0.15),
)
UNSURE = ModeChoice(
    mode="TEACH",
    confidence=0.3,
    abstained=True,
    ranked=tuple(ModeProbability(mode, share) for mode, share in SHARES),
)
SURE = ModeChoice(mode="REASON", confidence=0.9, ranked=UNSURE.ranked)


class FixedRouter:
    """Understands every question in one way."""

    def __init__(self, choice: ModeChoice) -> None:
        self._choice = choice

    def classify(self, question: str) -> ModeChoice:
        return self._choice


class NotingDecoder(ScriptedDecoder):
    """A script that says who wrote it."""

    def generate(
        self, request: DecodeRequest, stop: StopSignal
    ) -> Generator[DecodedText | DecodeFinished, None, None]:
        for item in super().generate(request, stop):
            is_end = isinstance(item, DecodeFinished)
            yield DecodeFinished("end", 1, 0, 1, notes=("Somebody wrote this.",)) if is_end else item


def pipeline(decoder: Any, choice: ModeChoice) -> HexcorePipeline:
    return HexcorePipeline.from_parts(
        open_decoder=lambda: decoder,
        retriever=FixedRetriever(),  # type: ignore[arg-type]
        knowledge=KnownNumbers(),  # type: ignore[arg-type]
        router=FixedRouter(choice),  # type: ignore[arg-type]
        settings=Settings(),
    )


def test_the_two_best_write_only_where_routing_is_unsure_and_it_is_allowed() -> None:
    both, any_number, one = (Expert("TEACH", 0.6), Expert("REASON", 0.4)), *requests(None, 1)
    assert experts_for(UNSURE, any_number, Settings()) == both
    assert experts_for(UNSURE, one, Settings()) == (Expert("TEACH"),)
    alone = Settings(answer=AnswerSettings(experts="one"))
    assert experts_for(UNSURE, any_number, alone) == (Expert("TEACH"),)
    assert experts_for(SURE, any_number, Settings()) == (Expert("REASON"),)
    assert experts_for(pinned("PREDICT"), any_number, Settings()) == (Expert("PREDICT"),)
    assert experts_for(None, any_number, Settings()) == ()
    nothing = undecided()
    assert experts_for(nothing, any_number, Settings()) == (Expert(nothing.mode),)


def test_so_many_of_the_likeliest_write_as_were_asked_for() -> None:
    two, three = requests(2, 3)
    alone = Settings(answer=AnswerSettings(experts="one"))
    for choice in (SURE, UNSURE):
        found = experts_for(choice, three, alone)
        assert [expert.mode for expert in found] == ["TEACH", "REASON", "EXPLAIN"]
        assert sum(expert.weight for expert in found) == pytest.approx(1)
        assert experts_for(choice, two, alone) == (Expert("TEACH", 0.6), Expert("REASON", 0.4))


def requests(*numbers: int | None) -> list[PipelineRequest]:
    return [PipelineRequest("What now?", num_experts=number) for number in numbers]


@pytest.mark.parametrize(("number", "mode"), [(0, None), (6, None), (2, "TEACH")])
def test_a_number_of_experts_that_cant_be_is_refused(number: int, mode: Any) -> None:
    request = PipelineRequest("What now?", num_experts=number, mode=mode)
    (failed,) = pipeline(ScriptedDecoder(tokens_per_s=0), SURE).stream(request)
    assert isinstance(failed, AnswerFailed)
    assert failed.error.code == "HX-USAGE"


def test_where_experts_cant_write_together_asking_for_several_is_refused_with_what_to_do() -> None:
    decoder = ScriptedDecoder(tokens_per_s=0)
    failed = list(pipeline(decoder, UNSURE).stream(requests(2)[0]))[-1]
    assert isinstance(failed, AnswerFailed)
    assert failed.error.code == "HX-ADAPTER"
    assert "run by scripted" in failed.error.message
    assert "--decoder torch" in failed.error.remedy
    assert not decoder.requests
    assert isinstance(list(pipeline(decoder, UNSURE).stream(requests(1)[0]))[-1], AnswerCompleted)


def test_the_model_is_told_what_else_may_be_asked_where_routing_is_unsure() -> None:
    decoder = ScriptedDecoder(tokens_per_s=0)
    for choice, both in ((UNSURE, True), (SURE, False), (undecided(), False)):
        list(pipeline(decoder, choice).stream("What now?"))
        sent = decoder.requests[-1].messages[-1].content
        assert MODE_STYLES[choice.mode].instruction in sent
        assert ("If that is not asked: decide what happens, verdict first." in sent) == both


class LearningRetriever(FixedRetriever):
    """Makes the question's meaning known by looking it up."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, np.ndarray] = {}

    def retrieve(self, question: str, limit: int = 12) -> Retrieval:
        # A sentence vector that speaks for RETROSPECT.
        meaning = load_model(FOLDER / MEANING_WEIGHTS_NAME).meaning
        assert meaning is not None
        direction = meaning[:, MODE_NAMES.index("RETROSPECT")]
        self.known[question] = direction / np.linalg.norm(direction)
        return super().retrieve(question, limit)


def test_the_mode_is_told_at_once_and_again_where_the_meaning_says_otherwise() -> None:
    retriever, decoder = LearningRetriever(), ScriptedDecoder(tokens_per_s=0)
    routing = HexcorePipeline.from_parts(
        open_decoder=lambda: decoder,
        retriever=retriever,  # type: ignore[arg-type]
        knowledge=KnownNumbers(),  # type: ignore[arg-type]
        router=TransactionClassifier(known_meaning=retriever.known.get),
        settings=Settings(),
    )
    events = list(routing.stream("What is trample?"))
    kinds = [type(event) for event in events]
    assert kinds[:4] == [QuestionRouted, PassagesRetrieved, QuestionRouted, PlanMade]
    told = [event.choice for event in events if isinstance(event, QuestionRouted)]
    assert [choice.mode for choice in told] == ["EXPLAIN", "RETROSPECT"]
    assert decoder.requests[0].experts[0].mode == "RETROSPECT"
    assert MODE_STYLES["RETROSPECT"].instruction in decoder.requests[0].messages[-1].content
    # Known from the start, as after typing, or pinned, it is told once.
    for request in (PipelineRequest("What is trample?"), PipelineRequest("What?", mode="TEACH")):
        events = list(routing.stream(request))
        assert [type(event) for event in events].count(QuestionRouted) == 1


def test_a_decoder_without_adapters_is_asked_for_one_expert_and_ignores_it() -> None:
    decoder = ScriptedDecoder(tokens_per_s=0)
    events = list(pipeline(decoder, UNSURE).stream("What now?"))
    assert isinstance(events[-1], AnswerCompleted)
    assert decoder.requests[0].experts == (Expert("TEACH", 0.6),)


def test_what_a_decoder_says_about_who_wrote_stands_in_the_notes_and_the_metadata() -> None:
    decoder = NotingDecoder(tokens_per_s=0)
    answer = pipeline(decoder, SURE).generate("What now?")
    assert "Somebody wrote this." in answer["metadata"]["notes"]


@pytest.fixture(scope="module")
def torch_decoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    torch = pytest.importorskip("torch", reason="the torch extra is not installed")
    from hexcore_engine.inference.decoders.torch_decoder import TorchDecoder
    from hexcore_engine.models.loader import load_torch_model
    from tests.unit.small_adapters import make_adapter
    from tests.unit.tiny_models import make_llama

    base = make_llama(tmp_path_factory.mktemp("models") / "llama", context_tokens=2048, spread=0.25)
    adapters: Path = tmp_path_factory.mktemp("adapters")
    make_adapter(adapters / "teacher", base, "TEACH", seed=1)
    make_adapter(adapters / "judge", base, "REASON", seed=2)
    loaded = load_torch_model(base, "none", device_map="cpu", dtype=torch.float32)
    return TorchDecoder(loaded, context_tokens=2048, threads=1, prompt_cache_mb=16, adapters_dir=adapters)


def ask(decoder: Any, choice: ModeChoice, **options: Any) -> tuple[PlanMade, tuple[str, ...]]:
    request = PipelineRequest("What now?", max_tokens=40, **options)
    events = list(pipeline(decoder, choice).stream(request))
    (plan,) = [event for event in events if isinstance(event, PlanMade)]
    outcome = events[-1]
    assert isinstance(outcome, AnswerCompleted), outcome
    return plan, outcome.notes


@pytest.mark.slow
def test_an_unsure_question_is_answered_by_both_adapters_and_a_sure_one_by_its_own(
    torch_decoder: Any,
) -> None:
    assert "Mixed by routing confidence: TEACH 60%, REASON 40%." in ask(torch_decoder, UNSURE)[1]
    alone = "The adapter teacher for TEACH answered."
    assert alone in ask(torch_decoder, UNSURE, num_experts=1)[1]
    assert "The adapter judge for REASON answered." in ask(torch_decoder, SURE)[1]
    for mode in MODE_NAMES:
        notes = ask(torch_decoder, SURE, mode=mode)[1]
        found = mode in ("TEACH", "REASON")
        base = f"No adapter for {mode}; the base answered with the mode's instructions."
        assert (base in notes) != found


@pytest.mark.slow
def test_experts_asked_for_write_together_however_sure_routing_is(torch_decoder: Any) -> None:
    assert "Mixed by routing confidence: TEACH 60%, REASON 40%." in ask(torch_decoder, SURE, num_experts=2)[1]
    failed = list(pipeline(torch_decoder, SURE).stream(requests(3)[0]))[-1]
    assert isinstance(failed, AnswerFailed)
    assert failed.error.code == "HX-ADAPTER"
    assert "EXPLAIN has no adapter" in failed.error.message
    assert "add-adapter" in failed.error.remedy


@pytest.mark.slow
def test_experts_asked_for_do_not_write_beside_a_gate_that_is_not_proven(torch_decoder: Any) -> None:
    gate = torch_decoder.expert_manager.folder / GATE_NAME
    gate.write_bytes(b"no run card")
    try:
        failed = list(pipeline(torch_decoder, UNSURE).stream(requests(2)[0]))[-1]
        assert isinstance(failed, AnswerFailed)
        assert failed.error.code == "HX-ADAPTER"
        assert "no run card" in failed.error.message
        assert GATE_NAME in failed.error.remedy
        notes = ask(torch_decoder, UNSURE)[1]
        assert "Mixed by routing confidence: TEACH 60%, REASON 40%." in notes
        assert any("no run card" in note for note in notes)
    finally:
        gate.unlink()
    notes = ask(torch_decoder, UNSURE, num_experts=2)[1]
    assert "Mixed by routing confidence: TEACH 60%, REASON 40%." in notes


@pytest.mark.slow
def test_experts_writing_together_are_given_up_for_a_memory_budget(torch_decoder: Any) -> None:
    torch_decoder.kv_cache_manager.clear()
    held = torch_decoder.memory()
    asked = torch_decoder.count_tokens(prompt_for(torch_decoder)) + 40
    room = held.bytes_per_token * asked * 3 // 2 + held.step_bytes
    budget = (held.weights_bytes + held.workspace_bytes + room) / 2**20
    plan, notes = ask(torch_decoder, UNSURE, memory_budget_mb=budget)
    assert "collaboration" in [step.name for step in plan.plan.given_up]
    assert "The adapter teacher for TEACH answered." in notes


def prompt_for(decoder: Any) -> Any:
    """The messages of the question, as a decoder of this model is given them."""

    class SameModel(ScriptedDecoder):
        model = decoder.model

    watched = SameModel(tokens_per_s=0)
    list(pipeline(watched, UNSURE).stream(PipelineRequest("What now?", max_tokens=40)))
    return watched.requests[0].messages
