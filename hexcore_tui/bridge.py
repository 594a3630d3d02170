"""The one place where engine events become Textual messages; it owns the connection to the engine.

Whoever asks is the sink of what comes back. The engine is connected to after the first frame, and again
with the next request when it was lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Protocol

from textual.message import Message
from textual.message_pump import MessagePump

from hexcore_engine.errors import EngineLostError, EngineUnreachableError, HexcoreError
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events, requests
from hexcore_engine.protocol.records import ErrorRecord, ModeName
from hexcore_engine.settings import Settings
from hexcore_tui import messages
from hexcore_tui.silence import SilenceWatch

# How long an engine that answers is given to stop its answer and leave, and one that does not.
STOP_TIMEOUT_S = 12.0
STOP_SILENT_S = 1.0

MESSAGE_OF_EVENT: dict[type[events.BaseEvent], type[messages.EngineMessage[Any]]] = {
    events.QuestionAccepted: messages.AnswerAccepted,
    events.QuestionRouted: messages.AnswerRouted,
    events.PassagesRetrieved: messages.EvidenceFound,
    events.PlanMade: messages.AnswerPlanned,
    events.TextStreamed: messages.AnswerTextArrived,
    events.CitationChecked: messages.CitationArrived,
    events.AnswerCompleted: messages.AnswerEnded,
    events.AnswerStopped: messages.AnswerEnded,
    events.AnswerFailed: messages.AnswerEnded,
    events.SessionsListed: messages.SessionsArrived,
    events.SessionsFound: messages.SessionHitsArrived,
    events.SessionOpened: messages.SessionArrived,
    events.SessionChanged: messages.SessionAltered,
    events.QuestionsListed: messages.QuestionsArrived,
    events.SessionExported: messages.SessionTextArrived,
    events.MemorySampled: messages.MemoryArrived,
    events.ModelsListed: messages.ModelsArrived,
    events.ModelPlanned: messages.ModelPlanArrived,
    events.ModelLoading: messages.ModelProgressed,
    events.ModelLoaded: messages.ModelArrived,
    events.ModelUnloaded: messages.ModelLeft,
    events.DataProgressed: messages.DataWorkProgressed,
    events.DataChanged: messages.DataArrived,
}


class Client(Protocol):
    """What the bridge needs of `hexcore_engine.client.client.EngineClient`."""

    @property
    def welcome(self) -> events.Welcomed:
        """The engine's greeting."""
        ...

    def stream_with_id(self, request: requests.Request) -> AsyncIterator[tuple[int, events.Event]]:
        """Yield the events that answer a request, each with the request's id."""
        ...

    async def call(self, request: requests.Request) -> events.Event:
        """Return the one event that answers a request."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


def message_of(event: events.Event) -> Message | None:
    """Return the message that tells a widget about `event`, or None where no widget needs it."""
    if isinstance(event, events.RequestFailed):
        return messages.RequestRefused(event.error)
    kind = MESSAGE_OF_EVENT.get(type(event))
    return kind(event) if kind else None


def record_of(error: BaseException) -> ErrorRecord:
    """Return an error as the screen shows it."""
    if isinstance(error, HexcoreError):
        return ErrorRecord(error.code, error.message, error.remedy)
    # A defect of ours: its text may quote the user, so only its kind is told.
    return ErrorRecord(
        "HX-GENERAL",
        f"Something went wrong inside the app ({type(error).__name__}).",
        HexcoreError.default_remedy,
    )


class EngineBridge:
    """Requests in, messages out. All methods are called on the app's event loop and return at once."""

    def __init__(self, owner: MessagePump, paths: Paths, settings: Settings, *, start: bool = True) -> None:
        self._owner = owner
        self._paths = paths
        self._settings = settings
        self._start_engine = start
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        self._connected = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watches: dict[MessagePump, asyncio.Task[None]] = {}
        self._preparation: asyncio.Task[None] | None = None
        self._question_id: str | None = None
        self._current: requests.Request | None = None
        self._stop_wanted = False
        self._silence = SilenceWatch(self._ask_how_it_is, self._tell_silence)

    @property
    def answering(self) -> bool:
        """Whether an answer is running for this app."""
        return self._current is not None

    @property
    def connected(self) -> bool:
        """Whether the engine can be asked without starting one."""
        return self._client is not None

    def connect(self) -> None:
        """Connect in the background; the owner hears of it."""
        self._start(self._connect_quietly())

    def ask(
        self,
        sink: MessagePump,
        question: str,
        *,
        session_id: str | None = None,
        mode: ModeName | None = None,
        seed: int | None = None,
        temperature: float | None = None,
        continues: int | None = None,
    ) -> None:
        """Ask a question; everything about its answer is posted to `sink`, ending with `AnswerEnded` or
        `RequestRefused`."""
        ask = requests.AskQuestion(
            question=question,
            session_id=session_id,
            mode=mode,
            seed=seed,
            temperature=temperature,
            continues=continues,
        )
        self._answer(sink, ask)

    def follow(self, sink: MessagePump, question_id: str) -> None:
        """Join an answer that is already running; posts like `ask`."""
        self._question_id = question_id
        self._answer(sink, requests.FollowAnswer(question_id=question_id))

    def let_go(self) -> None:
        """Leave the running answer to the engine, which finishes and stores it."""
        self._current = None
        self._question_id = None

    def stop(self) -> None:
        """Stop the running answer; its end is posted to its sink."""
        if self._current is None:
            return
        if self._question_id is None:
            self._stop_wanted = True
        else:
            stop = requests.StopAnswer(question_id=self._question_id)
            self._start(self._call_quietly(self._client, stop))

    def prepare(self, question: str) -> None:
        """Let the engine retrieve for a question still being typed; a newer one replaces an older one."""
        if self._client is None or self._current:
            return
        if self._preparation and not self._preparation.done():
            self._preparation.cancel()
        prepare = requests.PrepareQuestion(question=question)
        self._preparation = self._start(self._call_quietly(self._client, prepare))

    def request(self, sink: MessagePump, request: requests.Request) -> asyncio.Task[None]:
        """Send any other request; what answers it is posted to `sink`, until the task returned is
        cancelled."""
        return self._start(self._stream_to(sink, request))

    def watch_memory(self, sink: MessagePump, interval_s: float) -> None:
        """Post `MemoryArrived` to `sink` until `unwatch_memory`, across restarts of the engine."""
        self.unwatch_memory(sink)
        self._watches[sink] = self._start(self._watch(sink, interval_s))

    def unwatch_memory(self, sink: MessagePump) -> None:
        """End a watch; does nothing where there is none."""
        task = self._watches.pop(sink, None)
        if task:
            task.cancel()

    def restart(self) -> None:
        """End this machine's engine, by force where it does not answer, and start another; the owner hears of
        it. A question it had not begun is asked anew; one without a word of answer is refused, so that it
        can be."""
        self._start(self._restart())

    async def close(self) -> None:
        """Hang up; the engine goes on and finishes its answer."""
        self._silence.close()
        client, self._client = self._client, None
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if client:
            await client.close()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _answer(self, sink: MessagePump, request: requests.Request) -> None:
        self._current = request
        self._stop_wanted = False
        self._start(self._stream_answer(sink, request))

    async def _stream_answer(self, sink: MessagePump, request: requests.Request) -> None:
        try:
            await self._stream_to(sink, request)
        finally:
            if self._current is request:
                self.let_go()

    async def _stream_to(self, sink: MessagePump, request: requests.Request) -> None:
        try:
            async for event in self._events(request):
                self._note_question(request, event)
                message = message_of(event)
                if message:
                    sink.post_message(message)
        except EngineLostError as error:
            sink.post_message(messages.RequestRefused(record_of(error), engine_lost=True))
        except Exception as error:
            sink.post_message(messages.RequestRefused(record_of(error)))

    async def _events(self, request: requests.Request) -> AsyncIterator[events.Event]:
        """Yield what answers `request`. An engine that left while nobody asked it is started anew."""
        idle_before = self._client is not None
        answered = False
        try:
            async for event in self._client_events(request):
                answered = True
                yield event
        except EngineLostError:
            if answered or not idle_before:
                raise
            async for event in self._client_events(request):
                yield event

    async def _client_events(self, request: requests.Request) -> AsyncIterator[events.Event]:
        client = await self._living_client()
        request_id: int | None = None
        try:
            with self._silence.expecting():
                async for numbered in client.stream_with_id(request):
                    request_id, event = numbered
                    yield event
        except EngineLostError as error:
            self._forget_client(client, error)
            raise
        finally:
            if request_id is not None and isinstance(request, requests.WatchMemory):
                self._start(self._call_quietly(client, requests.StopWatching(request_id=request_id)))

    def _note_question(self, request: requests.Request, event: events.Event) -> None:
        # An answer that was let go is accepted too, and must not be stopped in place of the current one.
        if request is self._current and isinstance(event, events.QuestionAccepted):
            self._question_id = event.question_id
            if self._stop_wanted:
                self._stop_wanted = False
                self.stop()

    async def _watch(self, sink: MessagePump, interval_s: float) -> None:
        while True:
            await self._stream_to(sink, requests.WatchMemory(interval_s=interval_s))
            # Only a request of the user's own starts a lost engine anew.
            await self._connected.wait()
            await asyncio.sleep(interval_s)

    async def _connect_quietly(self) -> None:
        try:
            await self._living_client()
        except HexcoreError as error:
            self._owner.post_message(messages.EngineDisconnected(record_of(error)))

    async def _call_quietly(self, client: Client | None, request: requests.Request) -> None:
        """Send what matters only to an engine that is there; too late changes nothing the user sees."""
        if client is None or client is not self._client:
            return
        try:
            with self._silence.expecting():
                await client.call(request)
        except EngineLostError as error:
            self._forget_client(client, error)
        except HexcoreError:
            return

    async def _living_client(self) -> Client:
        async with self._connecting:
            if self._client is None:
                from hexcore_engine.client.client import EngineClient

                self._client = await EngineClient.connect(
                    self._paths,
                    self._settings,
                    client_name="tui",
                    start=self._start_engine,
                    on_silence=self._silence.fall_silent,
                )
                self._silence.hear()
                self._connected.set()
                self._owner.post_message(messages.EngineConnected(self._client.welcome))
            return self._client

    def _tell_silence(self, silent: bool) -> None:
        self._owner.post_message(messages.EngineFellSilent() if silent else messages.EngineSpoke())

    async def _ask_how_it_is(self) -> None:
        if self._client is not None:
            await self._client.call(requests.EngineStatus())

    async def _restart(self) -> None:
        from hexcore_engine.client.supervisor import stop_engine

        patience_s = STOP_SILENT_S if self._silence.is_silent else STOP_TIMEOUT_S
        try:
            if self._settings.engine.command.strip():
                raise EngineUnreachableError(
                    "The engine runs on another machine, as the setting [engine] command says.",
                    "Restart it there: `hexcore engine stop`.",
                )
            client = self._client
            await stop_engine(self._paths, patience_s)
            if client is not None:
                # Nothing need have been asked of it, and then nobody has noticed that it is gone.
                self._forget_client(client, EngineLostError("The engine was ended, as you wished."))
            await self._living_client()
        except HexcoreError as error:
            self._owner.post_message(messages.EngineRestarted(record_of(error)))
        else:
            self._owner.post_message(messages.EngineRestarted())

    def _forget_client(self, client: Client, error: EngineLostError) -> None:
        if client is not self._client:
            return
        self._client = None
        self._silence.hear()
        self._connected.clear()
        self._start(client.close())
        self._owner.post_message(messages.EngineDisconnected(record_of(error)))
