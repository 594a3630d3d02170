"""Steps that many tests of real processes take."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import psutil

from hexcore_engine.client.client import EngineClient
from hexcore_engine.protocol import events, requests

T = TypeVar("T")
# Capabilities by which root passes over the modes of files, as Linux numbers them.
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2
_PR_CAPBSET_DROP = 24
QUESTION = "What does deathtouch do with trample?"
# Long enough to be in the middle of at 60 words a second, and no loop.
SLOW_TEXT = "The rule is [702.2c] and it goes on. " + " ".join(f"word{number}" for number in range(400))
HEXCORE = (sys.executable, "-m", "hexcore_engine.cli.main")
ENGINE = (sys.executable, "-m", "hexcore_engine.service.process")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass
class Asked:
    """A question whose answer has begun."""

    stream: AsyncIterator[events.Event]
    question_id: str
    session_id: str

    async def outcome(self) -> events.Event:
        """Its last event."""
        return [event async for event in self.stream][-1]


async def ask(
    client: EngineClient, question: str = QUESTION, until: type = events.TextStreamed, **options: object
) -> Asked:
    """Ask and read until an event of that kind has come."""
    stream = client.stream(requests.AskQuestion(question, **options))  # type: ignore[arg-type]
    accepted = await anext(stream)
    assert isinstance(accepted, events.QuestionAccepted), accepted
    asked = Asked(stream, accepted.question_id, accepted.session_id)
    if until is events.QuestionAccepted:
        return asked
    async for event in stream:
        if isinstance(event, until):
            return asked
    raise AssertionError(f"no {until.__name__} came")


async def answer_to(
    client: EngineClient, question: str = QUESTION, **options: object
) -> events.AnswerOutcome:
    """Ask and return the outcome."""
    request = requests.AskQuestion(question, **options)  # type: ignore[arg-type]
    outcome = [event async for event in client.stream(request)][-1]
    assert isinstance(outcome, events.AnswerOutcome), outcome
    return outcome


async def until(condition: Callable[[], Any], seconds: float = 20.0, every_s: float = 0.03) -> Any:
    """Poll a condition, sync or async, until it gives something true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        value = await found if isinstance(found, Awaitable) else found
        if value:
            return value
        await asyncio.sleep(every_s)
    raise AssertionError("it did not happen in time")


def wait_until(condition: Callable[[], T], seconds: float = 20.0, every_s: float = 0.03) -> T:
    """Like `until`, outside of an event loop."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(every_s)
    raise AssertionError("it did not happen in time")


def bound_by_modes() -> None:
    """Let the modes of files hold for the program that a child becomes, also when root runs the tests; for
    `preexec_fn`."""
    if os.geteuid() == 0:
        library = ctypes.CDLL(None)
        for capability in (_DAC_OVERRIDE, _DAC_READ_SEARCH):
            library.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def has_ended(pid: int) -> bool:
    """Whether a process has ended, one that nobody waited for yet included."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
