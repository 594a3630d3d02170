"""Which request is answered how. One method a request; none of them blocks the event loop for long."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hexcore_engine import __version__
from hexcore_engine.client.fingerprint import package_fingerprint
from hexcore_engine.errors import HexcoreError, ProtocolError, UsageError
from hexcore_engine.inference.request import PipelineRequest
from hexcore_engine.protocol import events, requests
from hexcore_engine.protocol.codec import MAX_FRAME_BYTES, PROTOCOL_VERSION
from hexcore_engine.protocol.limits import check_experts, check_question
from hexcore_engine.protocol.records import EngineRecord, ErrorRecord, TurnRecord
from hexcore_engine.service.answers import RunningAnswer, new_question_id
from hexcore_engine.service.connection import Connection
from hexcore_engine.service.data_work import Work, importing, setting_up, start_data_work, updating
from hexcore_engine.service.model_host import TELL_EVERY_S
from hexcore_engine.utils.validation import clean_line

if TYPE_CHECKING:
    from hexcore_engine.service.engine import Engine

logger = logging.getLogger(__name__)
LONGEST_LISTED_QUESTION = 4000
# Clients for which no model is loaded: they look at the engine or at what was said.
ASK_NOTHING = ("status", "stop", "sessions")
encoder = msgspec.msgpack.Encoder()
T = TypeVar("T")
Handler = Callable[[Connection, int, Any], Awaitable[None]]


class Dispatcher:
    """Carries out requests on behalf of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._started = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        self._handlers: dict[type[requests.BaseRequest], Handler] = {
            requests.Hello: self._greet,
            requests.AskQuestion: self._ask,
            requests.PrepareQuestion: self._prepare,
            requests.StopAnswer: self._stop_answer,
            requests.FollowAnswer: self._follow,
            requests.ListSessions: self._list_sessions,
            requests.SearchSessions: self._search_sessions,
            requests.OpenSession: self._open_session,
            requests.RenameSession: self._rename_session,
            requests.DeleteSession: self._delete_session,
            requests.BranchSession: self._branch_session,
            requests.ListQuestions: self._list_questions,
            requests.ExportSession: self._export_session,
            requests.WatchMemory: self._watch_memory,
            requests.StopWatching: self._stop_watching,
            requests.ListModels: self._list_models,
            requests.PlanModel: self._plan_model,
            requests.LoadModel: self._load_model,
            requests.UnloadModel: self._unload_model,
            requests.RunSetup: self._run_setup,
            requests.ImportData: self._import_data,
            requests.UpdateData: self._update_data,
            requests.EngineStatus: self._status,
            requests.StopEngine: self._stop_engine,
        }

    async def handle(self, connection: Connection, request_id: int, request: requests.Request) -> None:
        """Start carrying out a request; its failure is answered with `RequestFailed`."""
        if not connection.greeted and not isinstance(request, requests.Hello):
            raise ProtocolError("A client must greet first.")
        work = self._carry_out(connection, request_id, request)
        if isinstance(request, requests.Hello):
            await work
            return
        # Beside the reading of further requests: a stop must be heard while a model loads.
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, connection: Connection, request_id: int, request: requests.Request) -> None:
        try:
            await self._handlers[type(request)](connection, request_id, request)
        except HexcoreError as error:
            record = ErrorRecord(error.code, error.message, error.remedy)
            connection.send(request_id, events.RequestFailed(record))
        except Exception as error:
            logger.exception("a %s request failed", type(request).__name__)
            record = ErrorRecord("HX-ENGINE", f"The engine failed: {type(error).__name__}.", "Ask again.")
            connection.send(request_id, events.RequestFailed(record))

    # -- greeting, status, leaving

    async def _greet(self, connection: Connection, request_id: int, hello: requests.Hello) -> None:
        ours = package_fingerprint()
        same = hello.protocol_version == PROTOCOL_VERSION and hello.fingerprint in ("", ours)
        if not same:
            refusal = events.VersionRefused(PROTOCOL_VERSION, ours, os.getpid(), self._engine.answers.busy)
            connection.send(request_id, refusal)
            connection.close()
            self._engine.leave(after_answer=True)
            return
        connection.greeted = True
        welcome = events.Welcomed(
            PROTOCOL_VERSION, ours, os.getpid(), __version__, self._engine.knowledge_generation()
        )
        connection.send(request_id, welcome)
        if hello.client not in ASK_NOTHING:
            self._engine.warm_up()

    async def _status(self, connection: Connection, request_id: int, _: requests.EngineStatus) -> None:
        engine = self._engine
        running = engine.answers.find(None)
        model = engine.host.record
        status = EngineRecord(
            running=True,
            pid=os.getpid(),
            model=model.name if model else None,
            decoder=model.decoder if model else None,
            quantization=model.quantization if model else None,
            uptime_s=round(time.monotonic() - self._started, 1),
            clients=engine.num_clients,
            busy=engine.answers.busy,
            generated_tokens=running.generated_pieces if running else 0,
            version=__version__,
            vectors=engine.vectors.status,
        )
        connection.send(request_id, events.EngineReported(status))

    async def _stop_engine(
        self, connection: Connection, request_id: int, request: requests.StopEngine
    ) -> None:
        after = self._engine.answers.busy and not request.now
        connection.send(request_id, events.EngineStopping(after))
        self._engine.leave(after_answer=after)

    # -- questions

    async def _ask(self, connection: Connection, request_id: int, ask: requests.AskQuestion) -> None:
        check_question(ask.question)
        check_experts(ask.num_experts, ask.mode)
        engine = self._engine
        session_id, turn_id = engine.begin_turn(ask)
        request = PipelineRequest(
            question=ask.question,
            question_id=new_question_id(),
            session_id=session_id,
            mode=ask.mode,
            max_tokens=ask.max_tokens,
            temperature=ask.temperature,
            seed=ask.seed,
            use_model=ask.use_model,
            latency_budget_ms=ask.latency_budget_ms,
            memory_budget_mb=ask.memory_budget_mb,
            num_experts=ask.num_experts,
            prepared=engine.evidence_of(session_id, ask.continues) or engine.preparer.take(ask.question),
        )
        answer = RunningAnswer(request, turn_id)
        position = engine.answers.add(answer)
        answer.follow(connection, request_id)
        answer.publish(events.QuestionAccepted(request.question_id, session_id, turn_id, position))
        engine.worker.answer(answer)

    async def _prepare(self, connection: Connection, request_id: int, ask: requests.PrepareQuestion) -> None:
        found = await self._engine.preparer.prepare(ask.question) if ask.question.strip() else 0
        connection.send(request_id, events.QuestionPrepared(found))

    async def _stop_answer(self, connection: Connection, request_id: int, stop: requests.StopAnswer) -> None:
        answer = self._engine.answers.find(stop.question_id)
        if answer is not None:
            self._engine.stop_answer(answer)
        connection.send(request_id, events.StopAccepted(answer is not None))

    async def _follow(self, connection: Connection, request_id: int, follow: requests.FollowAnswer) -> None:
        answer = self._engine.answers.find(follow.question_id)
        if answer is None:
            raise UsageError("That answer is finished.", "Open its conversation to read it.")
        answer.follow(connection, request_id)

    # -- conversations

    async def _list_sessions(
        self, connection: Connection, request_id: int, ask: requests.ListSessions
    ) -> None:
        sessions = self._engine.store.list_sessions(max(1, min(ask.limit, 10_000)))
        connection.send(request_id, events.SessionsListed(sessions))

    async def _search_sessions(
        self, connection: Connection, request_id: int, ask: requests.SearchSessions
    ) -> None:
        hits = self._engine.store.search(ask.words, max(1, min(ask.limit, 1_000)))
        connection.send(request_id, events.SessionsFound(clean_line(ask.words), hits))

    async def _open_session(self, connection: Connection, request_id: int, ask: requests.OpenSession) -> None:
        store = self._engine.store
        session = store.session(ask.session_id)
        turns = sendable_turns(store.turns(session.session_id))
        running = self._engine.answers.of_session(session.session_id)
        running_id = running[-1].request.question_id if running else None
        connection.send(request_id, events.SessionOpened(session, turns, running_id))

    async def _rename_session(
        self, connection: Connection, request_id: int, ask: requests.RenameSession
    ) -> None:
        session_id = self._engine.store.resolve(ask.session_id)
        self._engine.store.rename(session_id, clean_line(ask.title))
        connection.send(request_id, events.SessionChanged(session_id, "renamed"))

    async def _delete_session(
        self, connection: Connection, request_id: int, ask: requests.DeleteSession
    ) -> None:
        session_id = self._engine.store.delete(ask.session_id, ask.undo)
        for answer in () if ask.undo else self._engine.answers.of_session(session_id):
            self._engine.stop_answer(answer)
        connection.send(request_id, events.SessionChanged(session_id, "restored" if ask.undo else "deleted"))

    async def _branch_session(
        self, connection: Connection, request_id: int, ask: requests.BranchSession
    ) -> None:
        store = self._engine.store
        branch = store.branch(store.resolve(ask.session_id), ask.before_turn_id)
        turns = sendable_turns(store.turns(branch))
        connection.send(request_id, events.SessionOpened(store.session(branch), turns))

    async def _list_questions(
        self, connection: Connection, request_id: int, ask: requests.ListQuestions
    ) -> None:
        questions = self._engine.store.questions(max(1, min(ask.limit, 10_000)))
        # Together they have to fit into one frame.
        kept = [question for question in questions if len(question) <= LONGEST_LISTED_QUESTION]
        connection.send(request_id, events.QuestionsListed(tuple(kept)))

    async def _export_session(
        self, connection: Connection, request_id: int, ask: requests.ExportSession
    ) -> None:
        session_id = self._engine.store.resolve(ask.session_id)
        text = self._engine.store.export(session_id, ask.format)
        connection.send(request_id, events.SessionExported(session_id, text, ask.format))

    # -- memory

    async def _watch_memory(
        self, connection: Connection, request_id: int, watch: requests.WatchMemory
    ) -> None:
        connection.watches[request_id] = asyncio.create_task(
            self._sample(connection, request_id, max(0.1, min(watch.interval_s, 3600.0)))
        )

    async def _sample(self, connection: Connection, request_id: int, interval_s: float) -> None:
        while True:
            try:
                snapshot = await asyncio.to_thread(self._engine.snapshot)
                connection.send(request_id, events.MemorySampled(snapshot))
            except Exception:
                # One look that fails must not freeze what is shown for good.
                logger.exception("memory could not be sampled")
            await asyncio.sleep(interval_s)

    async def _stop_watching(
        self, connection: Connection, request_id: int, stop: requests.StopWatching
    ) -> None:
        watch = connection.watches.pop(stop.request_id, None)
        if watch is not None:
            watch.cancel()
            connection.send(stop.request_id, events.WatchStopped(stop.request_id))
        connection.send(request_id, events.WatchStopped(stop.request_id))

    # -- models

    async def _list_models(self, connection: Connection, request_id: int, _: requests.ListModels) -> None:
        from hexcore_engine.models.catalog import list_models

        settings = self._engine.read_settings()
        models = await asyncio.to_thread(list_models, settings, self._engine.paths)
        note = await asyncio.to_thread(self._engine.missing_torch)
        loaded = self._engine.host.record
        name = loaded.name if loaded else None
        connection.send(request_id, events.ModelsListed(models, settings.model.path, name, note))

    async def _plan_model(self, connection: Connection, request_id: int, ask: requests.PlanModel) -> None:
        from hexcore_engine.models.fit import fit_text, plan_fit

        settings = msgspec.structs.replace(self._engine.read_settings().model, path=ask.model)
        fit = await asyncio.to_thread(plan_fit, settings, self._engine.paths)
        connection.send(request_id, events.ModelPlanned(ask.model, fit_text(fit), fit.fits))

    async def _load_model(self, connection: Connection, request_id: int, load: requests.LoadModel) -> None:
        started = time.monotonic()
        if load.stop_running:
            self._engine.stop_answers()
        name = load.model or self._engine.read_settings().model.path
        connection.send(request_id, events.ModelLoading(clean_line(name), "waiting for its turn"))
        host = self._engine.host
        switching = asyncio.ensure_future(
            self._between_answers(lambda: host.switch(load.model, load.decoder, load.quantization))
        )
        while not (await asyncio.wait({switching}, timeout=TELL_EVERY_S))[0]:
            if (loading := host.loading()) is not None:
                connection.send(request_id, loading)
        record = await switching
        elapsed = time.monotonic() - started
        connection.send(request_id, events.ModelLoaded(record, elapsed))

    async def _unload_model(self, connection: Connection, request_id: int, _: requests.UnloadModel) -> None:
        name = await self._between_answers(self._engine.host.unload)
        connection.send(request_id, events.ModelUnloaded(name))

    # -- rules and cards

    async def _run_setup(self, connection: Connection, request_id: int, _: requests.RunSetup) -> None:
        engine = self._engine
        await self._change_data(connection, request_id, setting_up(engine.paths, engine.read_settings()))
        # The model may have come with it.
        engine.warm_up()

    async def _import_data(self, connection: Connection, request_id: int, ask: requests.ImportData) -> None:
        if not ask.file.strip() or "\0" in ask.file:
            raise UsageError("No file was named.", "Give the path of a rules or card file.")
        work = importing(self._engine.paths, ask.file)
        await self._change_data(connection, request_id, work)

    async def _update_data(self, connection: Connection, request_id: int, _: requests.UpdateData) -> None:
        work = updating(self._engine.paths, self._engine.read_settings())
        await self._change_data(connection, request_id, work)

    async def _change_data(self, connection: Connection, request_id: int, work: Work) -> None:
        loop = asyncio.get_running_loop()

        def tell(event: events.DataProgressed) -> None:
            loop.call_soon_threadsafe(connection.send, request_id, event)

        text = await asyncio.wrap_future(start_data_work(work, tell))
        connection.send(request_id, events.DataChanged(text))

    async def _between_answers(self, begin: Callable[[], Future[T]]) -> T:
        """Run work of the model host while no answer is written, and wait for it."""
        done: Future[T] = Future()

        def job() -> None:
            try:
                done.set_result(begin().result())
            except BaseException as error:
                done.set_exception(error)

        self._engine.worker.between_answers(job)
        return await asyncio.wrap_future(done)


def sendable_turns(turns: tuple[TurnRecord, ...]) -> tuple[TurnRecord, ...]:
    """Return the newest turns that fit into one frame, without what the model was sent, which only the engine
    needs."""
    kept: list[TurnRecord] = []
    room = MAX_FRAME_BYTES // 2
    for turn in reversed(turns):
        bare = msgspec.structs.replace(turn, sent="")
        room -= len(encoder.encode(bare))
        if room < 0 and kept:
            break
        kept.append(bare)
    return tuple(reversed(kept))
