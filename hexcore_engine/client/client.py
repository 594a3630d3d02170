"""The client of the engine: many requests at once over one connection, each answered by its own events."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shlex
from collections.abc import AsyncIterator, Callable

from hexcore_engine.client.fingerprint import is_outdated, package_fingerprint
from hexcore_engine.client.transports import Transport, connect_program, connect_socket
from hexcore_engine.errors import (
    EngineLostError,
    EngineUnreachableError,
    HexcoreError,
    ProtocolError,
    error_from_record,
)
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.codec import PROTOCOL_VERSION, Envelope
from hexcore_engine.protocol.events import (
    FINAL_EVENTS,
    BaseEvent,
    Event,
    RequestFailed,
    VersionRefused,
    Welcomed,
)
from hexcore_engine.protocol.requests import BaseRequest, Hello, Request
from hexcore_engine.settings import Settings
from hexcore_engine.utils.validation import clean_line

HANDSHAKE_TIMEOUT_S = 20.0
# An engine greets within milliseconds, whatever its model does.
SILENT_AFTER_S = 4.0
# An engine of another version finishes its answer before it leaves.
REPLACE_TIMEOUT_S = 600.0

# What the engine says of the connection itself, before it hangs up.
OWN_ID = 0

# The end of a stream, put into each waiting queue when the line is lost.
_Item = Event | HexcoreError


class EngineClient:
    """A connection to the engine."""

    def __init__(self, transport: Transport, welcome: Welcomed) -> None:
        """Take a transport whose handshake is done; use `connect`."""
        self.welcome = welcome
        self._transport = transport
        self._ids = itertools.count(2)
        self._waiting: dict[int, asyncio.Queue[_Item]] = {}
        self._lost: HexcoreError | None = None
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def connect(
        cls,
        paths: Paths,
        settings: Settings,
        *,
        client_name: str = "cli",
        start: bool = True,
        on_silence: Callable[[], None] = lambda: None,
    ) -> EngineClient:
        """Connect to this user's engine, starting one where none runs.

        An engine of another installation finishes its answer and leaves; a new one is started then.
        `on_silence` is called when one that listens does not greet within `SILENT_AFTER_S`; it is waited for
        all the same.

        Raises:
            EngineUnreachableError: when it can't be started or spoken to, or none runs and `start` is False.
        """
        from hexcore_engine.client.engine_process import start_engine, wait_until_gone

        if settings.engine.command.strip():
            return await cls._through(settings.engine.command, client_name)
        deadline = asyncio.get_running_loop().time() + REPLACE_TIMEOUT_S
        while True:
            transport = await connect_socket(paths)
            if transport is None:
                if not start:
                    raise EngineUnreachableError(
                        "No engine is running.", "Start it with `hexcore engine start`."
                    )
                await start_engine(paths)
                transport = await connect_socket(paths)
            if transport is None:
                raise EngineUnreachableError("The engine started but does not listen.")
            greeting = await _shake_hands(transport, client_name, on_silence=on_silence)
            if isinstance(greeting, Welcomed):
                return cls(transport, greeting)
            await transport.close()
            if asyncio.get_running_loop().time() > deadline or not start:
                raise EngineUnreachableError("An engine of another Hexcore version is running.")
            if isinstance(greeting, VersionRefused):
                # Else each engine it starts would be of another version, for ever.
                if is_outdated():
                    raise EngineUnreachableError(
                        "Hexcore was updated while this was open.", "Leave it and start it again."
                    )
                await wait_until_gone(greeting.pid, deadline)

    @classmethod
    async def _through(cls, command: str, client_name: str) -> EngineClient:
        """Reach another machine's engine through a command of the user's settings."""
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise EngineUnreachableError(
                f"The setting [engine] command can't be read: {error}.", "Close its quotes."
            ) from error
        try:
            return await cls.over(await connect_program(words), client_name=client_name)
        except EngineUnreachableError as error:
            raise EngineUnreachableError(
                f"`{clean_line(command)}` led to no engine. {error.message}",
                "Try that command in a shell: it must start and wait. Without the setting [engine] command "
                "this machine's engine is used.",
            ) from error

    @classmethod
    async def over(cls, transport: Transport, *, client_name: str = "cli") -> EngineClient:
        """Shake hands over a transport that exists, e.g. one through ssh.

        Raises:
            EngineUnreachableError: when the other side is another version or does not answer.
        """
        greeting = await _shake_hands(transport, client_name, any_installation=True)
        if isinstance(greeting, Welcomed):
            return cls(transport, greeting)
        await transport.close()
        raise EngineUnreachableError(
            "The engine on the other side is another Hexcore version, or none.",
            "Install the same version there.",
        )

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        """Send a request and yield its events, the final one last.

        Raises:
            EngineLostError: when the engine ends first.
        """
        async for _, event in self.stream_with_id(request):
            yield event

    async def stream_with_id(self, request: Request) -> AsyncIterator[tuple[int, Event]]:
        """Like `stream`, with the request's id beside each event (what `StopWatching` asks for)."""
        if self._lost is not None:
            raise self._lost
        request_id = next(self._ids)
        queue = self._waiting[request_id] = asyncio.Queue()
        try:
            await self._send(request_id, request)
            while True:
                item = await queue.get()
                if isinstance(item, HexcoreError):
                    raise item
                yield request_id, item
                if isinstance(item, FINAL_EVENTS):
                    return
        finally:
            self._waiting.pop(request_id, None)

    async def call(self, request: Request) -> Event:
        """Send a request and return its one event; intermediate ones are passed over.

        Raises:
            HexcoreError: the one the engine answered with.
            EngineLostError: when the engine ends first.
        """
        last: Event | None = None
        async for event in self.stream(request):
            last = event
        if isinstance(last, RequestFailed):
            raise error_from_record(last.error.code, last.error.message, last.error.remedy)
        if last is None:
            raise EngineLostError("The engine ended before it answered.")
        return last

    async def close(self) -> None:
        """Hang up; running answers go on in the engine."""
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading
        self._lose(EngineLostError("The connection to the engine was closed."))
        await self._transport.close()

    async def _send(self, request_id: int, request: Request) -> None:
        try:
            await self._transport.send(Envelope(request_id, request))
        except OSError as error:
            raise EngineLostError("The engine has ended.") from error

    async def _read(self) -> None:
        error: HexcoreError = EngineLostError("The engine ended in the middle of something.")
        try:
            while (envelope := await self._transport.receive()) is not None:
                if envelope.request_id == OWN_ID and isinstance(envelope.body, RequestFailed):
                    why = envelope.body.error
                    error = EngineLostError(f"The engine hung up: {why.message}", why.remedy)
                queue = self._waiting.get(envelope.request_id)
                if queue is not None and isinstance(envelope.body, BaseEvent):
                    queue.put_nowait(envelope.body)
        except ProtocolError as broken:
            error = EngineLostError(f"The connection to the engine broke: {broken.message}")
        self._lose(error)

    def _lose(self, error: HexcoreError) -> None:
        if self._lost is None:
            self._lost = error
        for queue in self._waiting.values():
            queue.put_nowait(error)


async def _shake_hands(
    transport: Transport,
    client_name: str,
    any_installation: bool = False,
    on_silence: Callable[[], None] = lambda: None,
) -> Event | None:
    """Greet; an empty fingerprint asks for no particular installation, only for the same protocol."""
    fingerprint = "" if any_installation else package_fingerprint()
    hello = Hello(PROTOCOL_VERSION, fingerprint, client_name)
    patience = asyncio.get_running_loop().call_later(SILENT_AFTER_S, on_silence)
    try:
        await transport.send(Envelope(1, hello))
        envelope = await asyncio.wait_for(transport.receive(), HANDSHAKE_TIMEOUT_S)
    except (OSError, ProtocolError):
        return None
    except TimeoutError as error:
        raise EngineUnreachableError(
            "The engine does not answer.",
            "Stop it with `hexcore engine stop` (in the app: Ctrl+P, Restart engine), then ask again.",
        ) from error
    finally:
        patience.cancel()
    if envelope is None or isinstance(envelope.body, BaseRequest):
        return None
    if isinstance(envelope.body, RequestFailed):
        await transport.close()
        failed = envelope.body.error
        raise error_from_record(failed.code, failed.message, failed.remedy)
    return envelope.body
