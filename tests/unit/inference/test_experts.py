from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

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
from hexcore_engine.inference.request import PipelineRequest
from hexcore_engine.models.router import pinned, undecided
from hexcore_engine.protocol.events import AnswerCompleted, PlanMade
from hexcore_engine.protocol.records import MODE_NAMES, ModeChoice, ModeName, ModeProbability
from hexcore_engine.settings import Settings
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
    assert experts_for(UNSURE, True) == (Expert("TEACH", 0.6), Expert("REASON", 0.4))
    assert experts_for(UNSURE, False) == (Expert("TEACH"),)
    assert experts_for(SURE, True) == (Expert("REASON"),)
    assert experts_for(pinned("PREDICT"), True) == (Expert("PREDICT"),)
    assert experts_for(None, True) == ()
    nothing = undecided()
    assert experts_for(nothing, True) == (Expert(nothing.mode),)


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
    assert alone in ask(torch_decoder, UNSURE, use_multiple_experts=False)[1]
    assert "The adapter judge for REASON answered." in ask(torch_decoder, SURE)[1]
    for mode in MODE_NAMES:
        notes = ask(torch_decoder, SURE, mode=mode)[1]
        found = mode in ("TEACH", "REASON")
        base = f"No adapter for {mode}; the base answered with the mode's instructions."
        assert (base in notes) != found


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
