"""From a question to a checked answer. `HexcorePipeline.stream` says the whole life of a question."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hexcore_engine.errors import (
    DecoderError,
    HexcoreError,
    KnowledgeRetrievalError,
    ModelMissingError,
    RoutingError,
    UsageError,
)
from hexcore_engine.inference.answer import AnswerEndsHereError, AnswerInProgress
from hexcore_engine.inference.budget import Admission, admit
from hexcore_engine.inference.decoders.base import Decoder, OpeningStopped, StopSignal
from hexcore_engine.inference.degradation import Budgets, Pace
from hexcore_engine.inference.experts import check_can_mix, experts_for, must_mix, num_writers
from hexcore_engine.inference.metadata import metadata_of
from hexcore_engine.inference.request import PipelineRequest
from hexcore_engine.inference.writing import AnswerWriter, decode_request
from hexcore_engine.models.router import TransactionClassifier, pinned, undecided
from hexcore_engine.protocol.events import (
    AnswerFailed,
    Event,
    PassagesRetrieved,
    QuestionRouted,
)
from hexcore_engine.protocol.records import ErrorRecord, ModeChoice
from hexcore_engine.settings import Settings
from hexcore_engine.utils.memory import MemoryTrend

if TYPE_CHECKING:
    from hexcore_engine.knowledge.lookup import Knowledge
    from hexcore_engine.knowledge.retriever import HybridRetriever

logger = logging.getLogger(__name__)

GENERATION_OPTIONS = {"mode", "seed", "top_p", "min_p", "repetition_penalty", "stop"}
NO_MODEL_NOTE = "No model is at hand, so there is no answer text; the rules and cards found are above."

NOT_ROUTED_NOTE = "The question's kind could not be judged, so its mode is a mere guess; you can choose one."


class HexcorePipeline:
    """Routes, retrieves, plans, writes and checks.

    `model`, `tokenizer`, `expert_manager`, `cross_expert` and `kv_cache_manager` belong to torch decoders
    and are None on the others, and after `close`.
    """

    def __init__(
        self,
        model_path: str = "mistralai/Mixtral-8x7B-v0.1",
        expert_adapters_dir: str = "adapters",
        device_map: str | dict[str, Any] = "auto",
        quantization_type: str = "4bit",
        max_memory: dict[int | str, int | str] | None = None,
        knowledge_db_path: str | Path | None = None,
        enable_memory_optimization: bool = True,
    ) -> None:
        """Open a model: a folder of safetensors, a hub id that `hexcore models get` fetched, a GGUF file, a
        server's address, "embedded" or "scripted". Never downloads anything.

        `device_map`, `quantization_type` (4bit, 8bit, none, auto) and `max_memory` (bytes, or "8GiB", by
        device number or "cpu") concern torch models; see `load_torch_model`. `expert_adapters_dir` holds
        their adapters, below the home where it is relative. `knowledge_db_path` is the knowledge folder, the
        user's own by default. Without `enable_memory_optimization` no prompt is kept between questions and
        nothing is given up to fit a budget: what does not fit is refused.

        Raises:
            ModelMissingError: when the model is not at hand, with the remedy.
            DeviceMappingError: when its weights do not fit or a device is absent.
        """
        from hexcore_engine.inference.assembly import ModelPlacement, parts_for_model

        placement = ModelPlacement(
            quantization_type, device_map, max_memory, expert_adapters_dir, enable_memory_optimization
        )
        parts = parts_for_model(model_path, knowledge_db_path, placement)
        kept = KeptDecoder(parts.pop("open_decoder"))
        try:
            kept()
        except BaseException:
            parts["retriever"].close()
            parts["knowledge"].close()
            raise
        self._take_parts(kept, **parts, own_decoder=kept, give_up=enable_memory_optimization)

    @classmethod
    def from_parts(
        cls,
        *,
        open_decoder: Callable[[], Decoder],
        retriever: HybridRetriever,
        knowledge: Knowledge,
        router: TransactionClassifier,
        settings: Settings,
    ) -> HexcorePipeline:
        """Build from parts that exist; `open_decoder` is called in `stream`, after the passages were
        shown, and returns the same decoder as long as it is usable."""
        pipeline = cls.__new__(cls)
        pipeline._take_parts(open_decoder, retriever, knowledge, router, settings)
        return pipeline

    def _take_parts(
        self,
        open_decoder: Callable[[], Decoder],
        retriever: HybridRetriever,
        knowledge: Knowledge,
        router: TransactionClassifier,
        settings: Settings,
        own_decoder: KeptDecoder | None = None,
        give_up: bool = True,
    ) -> None:
        self._open_decoder = open_decoder
        # A decoder that came through `from_parts` belongs to whoever opened it.
        self._own_decoder = own_decoder
        self._decoder = own_decoder() if own_decoder is not None else None
        self._give_up = give_up
        self._knowledge = knowledge
        self._settings = settings
        self._pace = Pace()
        self._paced_model: str | None = None
        self._told: set[str] = set()
        self._memory_trend = MemoryTrend()
        self.knowledge_retriever = retriever
        self.classifier = router

    @property
    def model(self) -> Any:
        """The transformers model."""
        return self._torch_part("torch_model")

    @property
    def tokenizer(self) -> Any:
        """The transformers tokenizer."""
        return self._torch_part("tokenizer")

    @property
    def kv_cache_manager(self) -> Any:
        """The `KVCacheManager` of prompts already computed."""
        return self._torch_part("kv_cache_manager")

    @property
    def expert_manager(self) -> Any:
        """The `ExpertAdapterManager` of the loaded model."""
        return self._torch_part("expert_manager")

    @property
    def cross_expert(self) -> Any:
        """The `CrossExpertAttention` that weighs experts writing together."""
        return self._torch_part("cross_expert")

    def _torch_part(self, name: str) -> Any:
        decoder = self._decoder
        return getattr(decoder, name, None) if decoder is not None and decoder.is_usable() else None

    def stream(self, request: PipelineRequest | str, stop: StopSignal | None = None) -> Iterator[Event]:
        """Answer a question; yields the events of one question as listed in protocol/events.py, from
        `QuestionRouted` to the outcome. A part that fails ends in `AnswerFailed` with the text so far."""
        request = PipelineRequest(request) if isinstance(request, str) else request
        answer = AnswerInProgress(request, stop or StopSignal())
        try:
            yield self._route(answer)
            yield self._retrieve(answer)
            yield from self._route_by_meaning(answer)
            decoder = self._open(answer)
            admission = self._plan(answer, decoder)
            yield answer.planned(admission.plan, decoder.model)
            yield from self._write(answer, decoder, admission)
            yield answer.outcome()
        except AnswerEndsHereError as end:
            yield answer.outcome(end.stop_reason)
        except HexcoreError as error:
            yield self._failed(answer, error)
        except Exception as error:
            logger.exception("a question failed unexpectedly")
            unforeseen = DecoderError(f"Something unforeseen broke: {type(error).__name__}.", "Ask again.")
            yield self._failed(answer, unforeseen)

    def generate(
        self,
        query: str,
        max_new_tokens: int = 1024,
        temperature: float = 0.7,
        use_multiple_experts: bool = True,
        latency_budget_ms: float | None = None,
        memory_budget_mb: float | None = None,
        **generation_kwargs: Any,
    ) -> dict[str, Any]:
        """Answer a question at once: `{"response": text, "metadata": {...}}`.

        `generation_kwargs` may hold `mode`, `seed`, `top_p` (more than 0, at most 1), `min_p` (0 to 1),
        `repetition_penalty` (more than 0) and `stop` (a tuple of texts that end the answer). With
        `use_multiple_experts` two write together where routing is unsure and both have an adapter for the
        torch model. Budgets are more than 0.

        Raises:
            HexcoreError: when the answer failed; the metadata of what was found is lost then, use `stream`.
        """
        unknown = sorted(set(generation_kwargs) - GENERATION_OPTIONS)
        if unknown:
            known = ", ".join(sorted(GENERATION_OPTIONS))
            raise UsageError(f"generate() does not know {', '.join(unknown)}.", f"Known: {known}.")
        request = PipelineRequest(
            query,
            max_tokens=max_new_tokens,
            temperature=temperature,
            latency_budget_ms=latency_budget_ms,
            memory_budget_mb=memory_budget_mb,
            num_experts=None if use_multiple_experts else 1,
            give_up=self._give_up,
            **generation_kwargs,
        )
        events = list(self.stream(request))
        outcome = events[-1]
        if isinstance(outcome, AnswerFailed):
            raise _raised(outcome.error)
        return {"response": getattr(outcome, "response", ""), "metadata": metadata_of(events)}

    def close(self) -> None:
        """Close the knowledge files, and the model where this pipeline opened it."""
        if self._own_decoder is not None:
            self._own_decoder.close()
        self._decoder = None
        self.knowledge_retriever.close()
        self._knowledge.close()

    # -- the stages

    def _route(self, answer: AnswerInProgress) -> QuestionRouted:
        request = answer.request
        request.check()
        choice, notes = (pinned(request.mode), ()) if request.mode else self._judge(request.question)
        answer.choice = choice
        answer.notes += notes
        return QuestionRouted(request.question_id, choice, notes)

    def _judge(self, question: str) -> tuple[ModeChoice, tuple[str, ...]]:
        """The mode, and what is to be said about it; weights that can't be used don't fail the answer."""
        try:
            return self.classifier.classify(question), ()
        except RoutingError as error:
            return undecided(), (NOT_ROUTED_NOTE, f"{error.message} {error.remedy}")

    def _retrieve(self, answer: AnswerInProgress) -> PassagesRetrieved:
        """Never fails the answer: a retriever that raises is stated in the event."""
        request, started = answer.request, time.monotonic()
        try:
            found = request.prepared or self.knowledge_retriever.retrieve(
                request.question, self._settings.answer.passages
            )
            retrieved = PassagesRetrieved(
                question_id=request.question_id,
                passages=found.passages,
                rules_release=found.rules_release,
                elapsed_ms=(time.monotonic() - started) * 1000,
                notes=found.notes + self._not_told_yet(found.optional),
            )
        except HexcoreError as error:
            retrieved = _no_passages(request, error, started)
        except Exception as error:  # any failure of retrieval leaves the answer alive
            logger.exception("retrieval failed unexpectedly")
            wrapped = KnowledgeRetrievalError(f"Retrieval failed: {type(error).__name__}.")
            retrieved = _no_passages(request, wrapped, started)
        answer.note_evidence(retrieved)
        return retrieved

    def _route_by_meaning(self, answer: AnswerInProgress) -> Iterator[QuestionRouted]:
        """Looking for evidence may have read the question's meaning, by which a stronger model judges."""
        request, before = answer.request, answer.choice
        if request.mode or before is None:
            return
        choice, _ = self._judge(request.question)
        if (choice.mode, choice.abstained) != (before.mode, before.abstained):
            answer.choice = choice
            yield QuestionRouted(request.question_id, choice)

    def _not_told_yet(self, notes: tuple[str, ...]) -> tuple[str, ...]:
        """What a person may do without is said once, not under every answer."""
        new = tuple(note for note in notes if note not in self._told)
        self._told.update(new)
        return new

    def _open(self, answer: AnswerInProgress) -> Decoder:
        if not answer.request.use_model:
            raise AnswerEndsHereError("no_model")
        if answer.stop.is_set():
            raise AnswerEndsHereError("stopped")
        # A budget that leaves room for nothing is refused before a model is loaded for it.
        Budgets.of(answer.request, self._settings)
        try:
            decoder = self._decoder = self._open_decoder()
        except ModelMissingError as error:
            answer.notes += [NO_MODEL_NOTE, f"{error.message} {error.remedy}"]
            raise AnswerEndsHereError("no_model") from error
        except OpeningStopped:
            raise AnswerEndsHereError("stopped") from None
        answer.note_model(decoder.model)
        return decoder

    def _plan(self, answer: AnswerInProgress, decoder: Decoder) -> Admission:
        if decoder.model.location != self._paced_model:
            self._pace, self._paced_model = Pace(), decoder.model.location
            self._memory_trend = MemoryTrend()
            if decoder.warmed is not None:
                self._pace = self._pace.after(decoder.warmed)
        request, modes = answer.request, answer.choice.modes if answer.choice else ("REASON",)
        experts = experts_for(answer.choice, request, self._settings)
        if must_mix(request):
            check_can_mix(decoder, experts)
        together = num_writers(decoder, experts)
        return admit(request, modes, answer.passages, decoder, self._settings, self._pace, together)

    def _write(self, answer: AnswerInProgress, decoder: Decoder, admission: Admission) -> Iterator[Event]:
        budget_ms = Budgets.of(answer.request, self._settings).latency_ms
        deadline = answer.started + budget_ms / 1000 if budget_ms else None
        writer = AnswerWriter(answer, self._knowledge.rule_exists, deadline)
        asked = decode_request(answer, admission, decoder.model, self._settings, deadline)
        yield from writer.write(decoder, asked)
        if writer.finished is not None:
            self._pace = self._pace.after(writer.finished)
        # A server may have told meanwhile that it takes no grammar.
        answer.note_model(decoder.model)
        memory = decoder.memory()
        if memory is not None:
            self._memory_trend.watch(memory.pids, memory.kv_cache_bytes)

    def _failed(self, answer: AnswerInProgress, error: HexcoreError) -> AnswerFailed:
        if isinstance(error, DecoderError) and self._own_decoder is not None:
            self._own_decoder.close()
            self._decoder = None
        return answer.failed(error)


class KeptDecoder:
    """Opens a decoder at the first call, keeps it, and opens it anew after it was closed."""

    def __init__(self, open_decoder: Callable[[], Decoder]) -> None:
        self._open = open_decoder
        self._decoder: Decoder | None = None

    def __call__(self) -> Decoder:
        """Return the open decoder; one whose runner ended is replaced."""
        if self._decoder is not None and not self._decoder.is_usable():
            self.close()
        if self._decoder is None:
            self._decoder = self._open()
        return self._decoder

    def close(self) -> None:
        """Give its memory back."""
        decoder, self._decoder = self._decoder, None
        if decoder is not None:
            decoder.close()


def _no_passages(request: PipelineRequest, error: HexcoreError, started: float) -> PassagesRetrieved:
    return PassagesRetrieved(
        question_id=request.question_id,
        passages=(),
        rules_release=None,
        elapsed_ms=(time.monotonic() - started) * 1000,
        error=ErrorRecord(error.code, error.message, error.remedy),
        notes=("Retrieval failed; this answer has no evidence behind it.",),
    )


def _raised(error: ErrorRecord) -> HexcoreError:
    from hexcore_engine.errors import error_from_record

    return error_from_record(error.code, error.message, error.remedy)
