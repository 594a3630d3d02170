"""The one inference thread: answers questions one after the other and hands each event to the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hexcore_engine.errors import DecoderError, HexcoreError
from hexcore_engine.inference.decoders.base import Decoder
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.events import AnswerFailed, AnswerStopped, Event
from hexcore_engine.protocol.records import ErrorRecord
from hexcore_engine.service.answers import RunningAnswer
from hexcore_engine.service.model_host import ModelHost
from hexcore_engine.service.recorder import TurnRecorder
from hexcore_engine.sessions.store import SessionStore
from hexcore_engine.settings import Settings

if TYPE_CHECKING:
    from hexcore_engine.inference.pipeline import HexcorePipeline
    from hexcore_engine.knowledge.index.base import VectorIndex
    from hexcore_engine.knowledge.retriever import HybridRetriever, Retrieval

logger = logging.getLogger(__name__)
Publish = Callable[[str, Event], None]
Job = Callable[[], None]


class InferenceWorker:
    """Runs jobs in order on one thread that lives as long as the engine."""

    def __init__(
        self,
        paths: Paths,
        settings: Settings,
        host: ModelHost,
        store: SessionStore,
        vectors: VectorIndex,
        loop: asyncio.AbstractEventLoop,
        publish: Publish,
    ) -> None:
        self._paths = paths
        self._settings = settings
        self._host = host
        self._store = store
        self._vectors = vectors
        self._loop = loop
        self._publish = publish
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._pipeline: HexcorePipeline | None = None
        self._current: RunningAnswer | None = None
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._thread.start()

    def answer(self, answer: RunningAnswer) -> None:
        """Queue a question."""
        self._jobs.put(lambda: self._answer(answer))

    def between_answers(self, job: Job) -> None:
        """Queue work that must not run while an answer is written."""
        self._jobs.put(job)

    def record_stopped(self, answer: RunningAnswer) -> Event:
        """Store that an answer was stopped before its turn came, and return its outcome; called by whoever
        claimed it."""
        stopped = AnswerStopped(stop_reason="stopped", **_nothing_written(answer))
        return TurnRecorder(self._store, answer.turn_id).record(stopped)

    def close(self, timeout_s: float) -> None:
        """Let the queue run out and end the thread."""
        self._jobs.put(None)
        self._thread.join(timeout_s)

    # -- on the inference thread

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:
                logger.exception("a job of the inference thread failed")
        if self._pipeline is not None:
            self._pipeline.close()

    def _answer(self, answer: RunningAnswer) -> None:
        if not answer.claim():
            return
        recorder = TurnRecorder(self._store, answer.turn_id)
        self._current = answer
        try:
            self._add_history(answer)
            for event in self._ensure_pipeline().stream(answer.request, answer.stop):
                self._tell(answer, recorder.record(event))
                if isinstance(event, AnswerFailed) and event.error.code == DecoderError.code:
                    # Its runner is gone or confused; the next question starts a fresh one.
                    self._host.unload().result()
        except Exception as error:
            logger.exception("a question failed outside the pipeline")
            self._tell(answer, recorder.record(_failed(answer, error)))
        finally:
            self._current = None

    def _add_history(self, answer: RunningAnswer) -> None:
        """Add the earlier turns; only now, since the one before may have been waiting for its answer too."""
        session_id = answer.request.session_id
        if session_id:
            history = self._store.told_turns(session_id, answer.turn_id)
            answer.request = replace(answer.request, history=history)

    def _tell(self, answer: RunningAnswer, event: Event) -> None:
        self._loop.call_soon_threadsafe(self._publish, answer.request.question_id, event)

    def _open_decoder(self) -> Decoder:
        if self._current is None:
            raise DecoderError("A model was asked for outside an answer.")
        answer = self._current
        return self._host.open(answer.stop, lambda event: self._tell(answer, event))

    def _ensure_pipeline(self) -> HexcorePipeline:
        if self._pipeline is None:
            from hexcore_engine.inference.pipeline import HexcorePipeline
            from hexcore_engine.knowledge.lookup import Knowledge
            from hexcore_engine.knowledge.retriever import HybridRetriever
            from hexcore_engine.models.router import TransactionClassifier

            self._pipeline = HexcorePipeline.from_parts(
                open_decoder=self._open_decoder,
                retriever=HybridRetriever(self._paths.knowledge_dir, self._vectors),
                knowledge=Knowledge(self._paths.knowledge_dir),
                router=TransactionClassifier(known_meaning=self._vectors.known),
                settings=self._settings,
            )
        return self._pipeline


class QuestionPreparer:
    """Retrieves for the question being typed, on a small thread; keeps the last result."""

    def __init__(self, paths: Paths, settings: Settings, vectors: VectorIndex) -> None:
        self._paths = paths
        self._vectors = vectors
        self._limit = settings.answer.passages
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prepare")
        self._retriever: HybridRetriever | None = None
        self._last: tuple[str, Retrieval] | None = None
        self._newest = ""

    async def warm_up(self) -> None:
        """Read what every retrieval needs, and answer who asked meanwhile; a damaged file is told to the
        question that meets it."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(HexcoreError):
            await loop.run_in_executor(self._executor, lambda: self._open().retrieve("", 1))
        # The thread takes one after the other, so what was asked by now is answered before this.
        await loop.run_in_executor(self._executor, _nothing)

    async def prepare(self, question: str) -> int:
        """Retrieve unless a newer question came meanwhile; return the number of passages."""
        self._newest = question
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._retrieve, question)

    def take(self, question: str) -> Retrieval | None:
        """Return the result for exactly this question, once."""
        last, self._last = self._last, None
        return last[1] if last is not None and last[0] == question else None

    def close(self) -> None:
        """End the thread."""
        if self._retriever is not None:
            self._executor.submit(self._retriever.close)
        self._executor.shutdown()

    def _retrieve(self, question: str) -> int:
        if question != self._newest:
            return 0
        found = self._open().retrieve(question, self._limit)
        self._last = (question, found)
        return len(found.passages)

    def _open(self) -> HybridRetriever:
        if self._retriever is None:
            from hexcore_engine.knowledge.retriever import HybridRetriever

            self._retriever = HybridRetriever(self._paths.knowledge_dir, self._vectors)
        return self._retriever


def _nothing() -> None:
    """Wait for one's turn, no more."""


def _failed(answer: RunningAnswer, error: Exception) -> AnswerFailed:
    known = error if isinstance(error, HexcoreError) else None
    record = ErrorRecord(
        known.code if known else DecoderError.code,
        known.message if known else f"Something unforeseen broke: {type(error).__name__}.",
        known.remedy if known else "Ask again; `hexcore doctor` says what works.",
    )
    return AnswerFailed(stop_reason="refused", error=record, **_nothing_written(answer))


def _nothing_written(answer: RunningAnswer) -> dict[str, Any]:
    """The fields of an outcome without a word, but for its stop reason."""
    return {
        "question_id": answer.request.question_id,
        "session_id": answer.request.session_id,
        "response": "",
        "citations": (),
        "usage": None,
        "rules_release": None,
        "model": None,
    }
