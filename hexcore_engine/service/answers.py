"""Answers in the queue and under way: their events so far, and who follows them."""

from __future__ import annotations

import asyncio
import secrets
import threading
from dataclasses import dataclass, field

from hexcore_engine.inference.decoders.base import StopSignal
from hexcore_engine.inference.request import PipelineRequest
from hexcore_engine.protocol.events import AnswerOutcome, Event, ModelLoading, TextStreamed
from hexcore_engine.service.connection import Connection


@dataclass
class RunningAnswer:
    """One question from its admission to its last event. Touched only by the event loop's thread, but for
    `claim`, and for `request` by whoever claimed it."""

    request: PipelineRequest
    turn_id: int
    stop: StopSignal = field(default_factory=StopSignal)
    events: list[Event] = field(default_factory=list)
    followers: list[tuple[Connection, int]] = field(default_factory=list)
    generated_pieces: int = 0
    _unclaimed: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def claim(self) -> bool:
        """Whether the caller, the first to ask, is the one to write this answer; called once by the inference
        thread when its turn has come, and by whoever stops it before."""
        return self._unclaimed.acquire(blocking=False)

    def publish(self, event: Event) -> None:
        """Keep an event and send it to all who follow."""
        if isinstance(event, ModelLoading) and self.events and isinstance(self.events[-1], ModelLoading):
            # Whoever follows later needs the newest alone.
            self.events.pop()
        self.events.append(event)
        if isinstance(event, TextStreamed):
            self.generated_pieces += len(event.text.split())
        for connection, request_id in self.followers:
            connection.send(request_id, event)

    def follow(self, connection: Connection, request_id: int) -> None:
        """Send all events so far, then the live ones."""
        for event in self.events:
            connection.send(request_id, event)
        self.followers.append((connection, request_id))


class AnswerQueue:
    """Questions in the order they came; the first is being answered."""

    def __init__(self) -> None:
        self._answers: dict[str, RunningAnswer] = {}
        self.all_finished = asyncio.Event()
        self.all_finished.set()

    def add(self, answer: RunningAnswer) -> int:
        """Take a question; return its position."""
        self._answers[answer.request.question_id] = answer
        self.all_finished.clear()
        return len(self._answers) - 1

    def find(self, question_id: str | None) -> RunningAnswer | None:
        """Return the answer of that id, or the running one for None."""
        if question_id is not None:
            return self._answers.get(question_id)
        return next(iter(self._answers.values()), None)

    def of_session(self, session_id: str) -> list[RunningAnswer]:
        """Return the unfinished answers of a conversation, the newest last."""
        return [answer for answer in self._answers.values() if answer.request.session_id == session_id]

    def publish(self, question_id: str, event: Event) -> None:
        """Pass an event on; an outcome takes the answer off the queue."""
        answer = self._answers.get(question_id)
        if answer is None:
            return
        if isinstance(event, AnswerOutcome):
            del self._answers[question_id]
            if not self._answers:
                self.all_finished.set()
        answer.publish(event)

    @property
    def unfinished(self) -> list[RunningAnswer]:
        """All of them, the oldest first."""
        return list(self._answers.values())

    @property
    def busy(self) -> bool:
        """Whether a question is admitted and not finished."""
        return bool(self._answers)


def new_question_id() -> str:
    """Return an id no other question of this engine has."""
    return secrets.token_hex(8)
