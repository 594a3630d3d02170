"""What happens in the app, as Textual messages: past tense for facts, `...Requested` for a wish of the user.

The messages below `EngineMessage` are made in bridge.py alone and carry the engine's event as it came.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.message import Message

from hexcore_engine.protocol import events
from hexcore_engine.protocol.records import ErrorRecord

EventT = TypeVar("EventT", bound=events.BaseEvent)


class EngineMessage(Message, Generic[EventT], bubble=True):
    """Base of what the engine said; `event` is its own word."""

    def __init__(self, event: EventT) -> None:
        super().__init__()
        self.event = event


class AnswerAccepted(EngineMessage[events.QuestionAccepted]):
    """The question is stored and queued."""


class AnswerRouted(EngineMessage[events.QuestionRouted]):
    """The mode the question was understood in is known."""


class EvidenceFound(EngineMessage[events.PassagesRetrieved]):
    """The rules and cards that decide the question are here."""


class AnswerPlanned(EngineMessage[events.PlanMade]):
    """What was given up to fit is known."""


class AnswerTextArrived(EngineMessage[events.TextStreamed]):
    """The next piece of the answer."""


class CitationArrived(EngineMessage[events.CitationChecked]):
    """A rule number of the answer was checked."""


class AnswerEnded(EngineMessage[events.AnswerOutcome]):
    """The answer is completed, stopped or failed; the event's class says which."""


class SessionsArrived(EngineMessage[events.SessionsListed]):
    """The list of conversations."""


class SessionHitsArrived(EngineMessage[events.SessionsFound]):
    """Conversations in which words were said."""


class SessionArrived(EngineMessage[events.SessionOpened]):
    """A conversation with its turns."""


class SessionAltered(EngineMessage[events.SessionChanged]):
    """A conversation was renamed, deleted or brought back."""


class SessionTextArrived(EngineMessage[events.SessionExported]):
    """A conversation as text, Markdown or JSON."""


class QuestionsArrived(EngineMessage[events.QuestionsListed]):
    """The questions of all conversations."""


class MemoryArrived(EngineMessage[events.MemorySampled]):
    """A fresh snapshot of memory; an older one still waiting is dropped."""

    def can_replace(self, message: Message) -> bool:
        """Only the newest snapshot is worth drawing."""
        return isinstance(message, MemoryArrived)


class ModelsArrived(EngineMessage[events.ModelsListed]):
    """The models at hand."""


class ModelPlanArrived(EngineMessage[events.ModelPlanned]):
    """What a model would take in memory."""


class ModelProgressed(EngineMessage[events.ModelLoading]):
    """A model is being loaded."""

    def can_replace(self, message: Message) -> bool:
        """Only the newest stage is worth drawing."""
        return isinstance(message, ModelProgressed)


class ModelArrived(EngineMessage[events.ModelLoaded]):
    """A model is ready."""


class ModelLeft(EngineMessage[events.ModelUnloaded]):
    """The model's memory was given back."""


class DataWorkProgressed(EngineMessage[events.DataProgressed]):
    """Rules or cards are being fetched or built."""

    def can_replace(self, message: Message) -> bool:
        """Only the newest stage is worth drawing."""
        return isinstance(message, DataWorkProgressed)


class DataArrived(EngineMessage[events.DataChanged]):
    """Set-up, an import or an update is done."""


class RequestRefused(Message, bubble=True):
    """A request failed; `engine_lost` when the engine ended in the middle of it."""

    def __init__(self, error: ErrorRecord, engine_lost: bool = False) -> None:
        super().__init__()
        self.error = error
        self.engine_lost = engine_lost


class EngineConnected(Message):
    """The engine answered; look-ups by request work from now on. Sent to the app."""

    def __init__(self, welcome: events.Welcomed) -> None:
        super().__init__()
        self.welcome = welcome


class EngineDisconnected(Message):
    """The engine is gone or could not be reached. Sent to the app."""

    def __init__(self, error: ErrorRecord) -> None:
        super().__init__()
        self.error = error


class EngineFellSilent(Message):
    """The engine does not answer though something is expected of it. Sent to the app."""


class EngineSpoke(Message):
    """An engine that had fallen silent answers again, or another one does. Sent to the app."""


class EngineRestarted(Message):
    """Another engine runs, or `error` says why none could be started. Sent to the app."""

    def __init__(self, error: ErrorRecord | None = None) -> None:
        super().__init__()
        self.error = error


class QuestionTyped(Message, bubble=True):
    """The user paused while typing a question."""

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question


class RuleRequested(Message, bubble=True):
    """The user wants to read a rule."""

    def __init__(self, number: str) -> None:
        super().__init__()
        self.number = number


class CardRequested(Message, bubble=True):
    """The user wants to read a card."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class TextRequested(Message, bubble=True):
    """The user wants to read a passage that is neither a rule nor a card."""

    def __init__(self, title: str, text: str, source: str) -> None:
        super().__init__()
        self.title = title
        self.text = text
        self.source = source
