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

from hexcore_engine.errors import EngineLostError, HexcoreError
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events, requests
from hexcore_engine.protocol.records import ErrorRecord, ModeName
from hexcore_engine.settings import Settings
from hexcore_tui import messages

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
    events.SessionOpened: messages.SessionArrived,
    events.SessionChanged: messages.SessionAltered,
    events.SessionExported: messages.SessionTextArrived,
    events.MemorySampled: messages.MemoryArrived,
    events.ModelsListed: messages.ModelsArrived,
    events.ModelLoading: messages.ModelProgressed,
    events.ModelLoaded: messages.ModelArrived,
    events.ModelUnloaded: messages.ModelLeft,
    events.EngineReported: messages.EngineStateArrived,
}


class Client(Protocol):
    """What the bridge needs of `hexcore_engine.client.client.EngineClient`."""

    @property
    def welcome(self) -> events.Welcomed:
        """The engine's greeting."""
        ...

    def stream(self, request: requests.Request) -> AsyncIterator[events.Event]:
        """Yield the events that answer a request."""
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
        self._answering = False
        self._stop_wanted = False

    @property
    def answering(self) -> bool:
        """Whether an answer is running for this app."""
        return self._answering

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
    ) -> None:
        """Ask a question; everything about its answer is posted to `sink`, ending with `AnswerEnded` or
        `RequestRefused`."""
        self._answer(sink, requests.AskQuestion(question=question, session_id=session_id, mode=mode))

    def follow(self, sink: MessagePump, question_id: str) -> None:
        """Join an answer that is already running; posts like `ask`."""
        self._question_id = question_id
        self._answer(sink, requests.FollowAnswer(question_id=question_id))

    def stop(self) -> None:
        """Stop the running answer; its end is posted to its sink."""
        if not self._answering:
            return
        if self._question_id is None:
            self._stop_wanted = True
        else:
            self._start(self._call_quietly(requests.StopAnswer(question_id=self._question_id)))

    def prepare(self, question: str) -> None:
        """Let the engine retrieve for a question still being typed; a newer one replaces an older one."""
        if self._client is None or self._answering:
            return
        if self._preparation and not self._preparation.done():
            self._preparation.cancel()
        self._preparation = self._start(self._call_quietly(requests.PrepareQuestion(question=question)))

    def request(self, sink: MessagePump, request: requests.Request) -> None:
        """Send any other request; what answers it is posted to `sink`."""
        self._start(self._stream_to(sink, request))

    def watch_memory(self, sink: MessagePump, interval_s: float) -> None:
        """Post `MemoryArrived` to `sink` until `unwatch_memory`, across restarts of the engine."""
        self.unwatch_memory(sink)
        self._watches[sink] = self._start(self._watch(sink, interval_s))

    def unwatch_memory(self, sink: MessagePump) -> None:
        """End a watch; does nothing where there is none."""
        task = self._watches.pop(sink, None)
        if task:
            task.cancel()

    async def close(self) -> None:
        """Hang up; the engine goes on and finishes its answer."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        client, self._client = self._client, None
        if client:
            await client.close()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _answer(self, sink: MessagePump, request: requests.Request) -> None:
        self._answering = True
        self._stop_wanted = False
        self._start(self._stream_answer(sink, request))

    async def _stream_answer(self, sink: MessagePump, request: requests.Request) -> None:
        try:
            await self._stream_to(sink, request)
        finally:
            self._answering = False
            self._question_id = None

    async def _stream_to(self, sink: MessagePump, request: requests.Request) -> None:
        try:
            client = await self._living_client()
            async for event in client.stream(request):
                self._note_question(event)
                message = message_of(event)
                if message:
                    sink.post_message(message)
        except EngineLostError as error:
            self._forget_client(error)
            sink.post_message(messages.RequestRefused(record_of(error), engine_lost=True))
        except Exception as error:
            sink.post_message(messages.RequestRefused(record_of(error)))

    def _note_question(self, event: events.Event) -> None:
        if isinstance(event, events.QuestionAccepted):
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

    async def _call_quietly(self, request: requests.Request) -> None:
        try:
            await (await self._living_client()).call(request)
        except EngineLostError as error:
            self._forget_client(error)
        except HexcoreError:
            # A stop or a preparation that came too late changes nothing the user sees.
            return

    async def _living_client(self) -> Client:
        async with self._connecting:
            if self._client is None:
                from hexcore_engine.client.client import EngineClient

                self._client = await EngineClient.connect(
                    self._paths, self._settings, client_name="tui", start=self._start_engine
                )
                self._connected.set()
                self._owner.post_message(messages.EngineConnected(self._client.welcome))
            return self._client

    def _forget_client(self, error: EngineLostError) -> None:
        client, self._client = self._client, None
        self._connected.clear()
        if client:
            self._start(client.close())
            self._owner.post_message(messages.EngineDisconnected(record_of(error)))
