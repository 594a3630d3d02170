"""The engine: what lives in the process, from the socket to the inference thread, and when it leaves."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from hexcore_engine.client.fingerprint import package_fingerprint
from hexcore_engine.client.run_folder import ensure_run_folder
from hexcore_engine.errors import HexcoreError, KnowledgeCorruptError, SessionError, StorageError
from hexcore_engine.inference.decoders.base import Decoder
from hexcore_engine.knowledge.store.pointer import read_pointer
from hexcore_engine.models.advice import missing_torch_note
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.events import AnswerOutcome, Event
from hexcore_engine.protocol.records import Snapshot, Usage
from hexcore_engine.protocol.requests import AskQuestion
from hexcore_engine.service.answers import AnswerQueue, RunningAnswer
from hexcore_engine.service.connection import Connection, is_ours
from hexcore_engine.service.dispatcher import Dispatcher
from hexcore_engine.service.history import same_evidence
from hexcore_engine.service.model_host import ModelHost
from hexcore_engine.service.telemetry import take_snapshot
from hexcore_engine.service.vector_keeper import VectorKeeper
from hexcore_engine.service.worker import InferenceWorker, QuestionPreparer
from hexcore_engine.sessions.store import SessionStore
from hexcore_engine.settings import Settings, load_settings
from hexcore_engine.utils.memory import MemoryDriver, SystemMemoryDriver

if TYPE_CHECKING:
    from hexcore_engine.knowledge.retriever import Retrieval

logger = logging.getLogger(__name__)
IDLE_CHECK_S = 1.0
STOP_TIMEOUT_S = 8.0
HANG_UP_TIMEOUT_S = 2.0


class Engine:
    """One engine of one user and HEXCORE_HOME."""

    def __init__(self, paths: Paths, settings: Settings, memory_driver: MemoryDriver | None = None) -> None:
        self.paths = paths
        self.settings = settings
        self.answers = AnswerQueue()
        self.store = SessionStore(paths.sessions_file)
        self.host = ModelHost(paths, settings)
        self.vectors = VectorKeeper(paths, settings.data)
        self.preparer = QuestionPreparer(paths, settings, self.vectors)
        self._memory_driver = memory_driver
        self._last_usage: Usage | None = None
        self._connections: set[Connection] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._warming: asyncio.Task[None] | None = None
        self._leaving = asyncio.Event()
        self._leave_after_answer = False
        self._idle_since = time.monotonic()
        loop = asyncio.get_running_loop()
        self.worker = InferenceWorker(
            paths, settings, self.host, self.store, self.vectors, loop, self._publish
        )
        self._dispatcher = Dispatcher(self)

    @property
    def num_clients(self) -> int:
        """Clients that greeted."""
        return sum(connection.greeted for connection in self._connections)

    async def serve(self) -> None:
        """Listen until the engine is told to leave or nobody needed it for a while."""
        package_fingerprint()
        ensure_run_folder(self.paths)
        # We hold the engine's lock, so a socket that is there belongs to nobody.
        self.paths.socket_file.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._accept, str(self.paths.socket_file))
        self.paths.socket_file.chmod(0o600)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.leave)
        idle = asyncio.create_task(self._watch_idle())
        logger.info("listening")
        await self._leaving.wait()
        idle.cancel()
        server.close()
        self.paths.socket_file.unlink(missing_ok=True)
        await self._wind_down()

    def leave(self, after_answer: bool = False) -> None:
        """Leave: at once, the running answer stopped and stored, or once it is finished."""
        if after_answer and self.answers.busy:
            self._leave_after_answer = True
            return
        self.stop_answers()
        self._leaving.set()

    def warm_up(self) -> None:
        """Get ready for a question in the background: look-ups first, then the configured model."""
        self._idle_since = time.monotonic()
        if self._warming is None or self._warming.done():
            self._warming = asyncio.create_task(self._warm_up())

    def begin_turn(self, ask: AskQuestion) -> tuple[str, int]:
        """Store a question; return its conversation and its turn (0 when it can't be stored).

        Raises:
            SessionError: when it names a conversation that does not exist.
        """
        session_id = self.store.resolve(ask.session_id) if ask.session_id else ""
        try:
            session_id = session_id or self.store.create(ask.question[:200])
            return session_id, self.store.begin_turn(session_id, ask.question)
        except SessionError as error:
            logger.warning("a question can't be saved: %s", error.message)
            return session_id, 0

    def evidence_of(self, session_id: str, turn_id: int | None) -> Retrieval | None:
        """What was found for an earlier turn, for an answer that goes on with it."""
        return same_evidence(self.store.turns(session_id), turn_id) if turn_id is not None else None

    def stop_answer(self, answer: RunningAnswer) -> None:
        """Ask an answer to end; one whose turn has not come ends at once."""
        answer.stop.set()
        if answer.claim():
            self._publish(answer.request.question_id, self.worker.record_stopped(answer))

    def stop_answers(self) -> None:
        """Ask every answer to end."""
        for answer in self.answers.unfinished:
            self.stop_answer(answer)

    def snapshot(self) -> Snapshot:
        """Measure memory now; called off the event loop."""
        return take_snapshot(self._driver(), self.host.loaded(), self._last_usage)

    def missing_torch(self) -> str:
        """What would let models run on the devices seen; called off the event loop."""
        return missing_torch_note(self._driver().gpus())

    def _driver(self) -> MemoryDriver:
        if self._memory_driver is None:
            self._memory_driver = SystemMemoryDriver()
        return self._memory_driver

    def knowledge_generation(self) -> int | None:
        """The generation the knowledge pointer names; None also where it can't be read, which the look-ups
        will say."""
        with contextlib.suppress(KnowledgeCorruptError, StorageError):
            pointer = read_pointer(self.paths.knowledge_dir)
            return pointer.generation if pointer else None
        return None

    def read_settings(self) -> Settings:
        """The settings as the file has them now."""
        return load_settings(self.paths.settings_file)

    # -- inside

    async def _warm_up(self) -> None:
        # One after the other: loading a model imports much, and would keep the first look-up waiting.
        await self.preparer.warm_up()
        self.host.load_in_background().add_done_callback(self._model_is_settled)

    def _model_is_settled(self, loading: Future[Decoder]) -> None:
        # A model that can't be loaded is told to the question that needs it; vectors don't.
        loading.exception()
        if not self._leaving.is_set():
            self.vectors.start()

    def _publish(self, question_id: str, event: Event) -> None:
        self.answers.publish(question_id, event)
        if isinstance(event, AnswerOutcome):
            self._last_usage = event.usage or self._last_usage
            self._idle_since = time.monotonic()
            if self._leave_after_answer and not self.answers.busy:
                self.leave()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not is_ours(writer):
            logger.warning("refused a client of another user")
            writer.close()
            return
        connection = Connection(reader, writer)
        serving = asyncio.ensure_future(connection.run(self._dispatcher.handle))
        self._connections.add(connection)
        self._serving.add(serving)
        try:
            await serving
        finally:
            self._serving.discard(serving)
            self._connections.discard(connection)
            self._idle_since = time.monotonic()

    async def _watch_idle(self) -> None:
        limit_s = self.settings.engine.idle_minutes * 60
        while True:
            await asyncio.sleep(min(IDLE_CHECK_S, limit_s))
            idle_s = time.monotonic() - self._idle_since
            if not self._connections and not self.answers.busy and idle_s >= limit_s:
                logger.info("nobody needed the engine for %.0f s", idle_s)
                self.leave()

    async def _wind_down(self) -> None:
        deadline = time.monotonic() + STOP_TIMEOUT_S
        if self._warming is not None:
            self._warming.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.answers.all_finished.wait(), STOP_TIMEOUT_S)
        for connection in self._connections:
            connection.close()
        if self._serving:
            await asyncio.wait(self._serving, timeout=HANG_UP_TIMEOUT_S)
        await asyncio.to_thread(self.worker.close, max(0.1, deadline - time.monotonic()))
        with contextlib.suppress(HexcoreError):
            await asyncio.to_thread(self.host.close)
        await asyncio.to_thread(self.preparer.close)
        await asyncio.to_thread(self.vectors.close)
        self.store.close()
        if self._memory_driver is not None:
            self._memory_driver.close()
        logger.info("left, process %d", os.getpid())
