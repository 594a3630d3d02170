"""What the engine tells its clients. Past tense: each is a fact.

The stream of one question, in order:

    QuestionAccepted                       queued or admitted; the ids to refer to it
    QuestionRouted                         the mode it was understood in
    PassagesRetrieved                      the evidence, before any model runs
    ModelLoading*                          while a model loads that takes over a second
    PlanMade                               what admission predicted and gave up
    (TextStreamed | CitationChecked)*      the answer, joined every 80 to 100 ms, numbered from 0
    AnswerCompleted | AnswerStopped | AnswerFailed
"""

from __future__ import annotations

import msgspec

from hexcore_engine.protocol.records import (
    AnswerPlan,
    Citation,
    EngineRecord,
    ErrorRecord,
    ModeChoice,
    ModelRecord,
    Passage,
    SessionHit,
    SessionRecord,
    Snapshot,
    StopReason,
    TurnRecord,
    Usage,
)


class BaseEvent(msgspec.Struct, frozen=True, tag=True):
    """Base of all events; the class name travels as the tag."""


class Welcomed(BaseEvent, frozen=True):
    """The handshake is done."""

    protocol_version: int
    fingerprint: str
    pid: int
    version: str
    knowledge_generation: int | None


class VersionRefused(BaseEvent, frozen=True):
    """The other side is another installation; this engine leaves once its answer is finished."""

    protocol_version: int
    fingerprint: str
    pid: int
    busy: bool


class RequestFailed(BaseEvent, frozen=True):
    """The request could not be carried out."""

    error: ErrorRecord


class QuestionAccepted(BaseEvent, frozen=True):
    """The question is stored and queued; with `queue_position` 0 it is being answered."""

    question_id: str
    session_id: str
    turn_id: int
    queue_position: int = 0


class QuestionRouted(BaseEvent, frozen=True):
    """The mode the question was understood in, unsure between the two likeliest where the choice abstained;
    `notes` say what kept it from being judged. Comes again after the evidence where the question's meaning,
    read by then, says otherwise."""

    question_id: str
    choice: ModeChoice
    notes: tuple[str, ...] = ()


class PassagesRetrieved(BaseEvent, frozen=True):
    """The evidence. `error` is set when retrieval failed and the answer goes on without."""

    question_id: str
    passages: tuple[Passage, ...]
    rules_release: str | None
    elapsed_ms: float
    error: ErrorRecord | None = None
    notes: tuple[str, ...] = ()


class PlanMade(BaseEvent, frozen=True):
    """What will be asked of the model, and what was given up to fit. Comes again, with the steps so far, when
    more has to be given up in mid-answer."""

    question_id: str
    plan: AnswerPlan
    model: ModelRecord


class TextStreamed(BaseEvent, frozen=True):
    """The next piece of the answer. `sequence` counts from 0 without gaps."""

    question_id: str
    sequence: int
    text: str


class CitationChecked(BaseEvent, frozen=True):
    """A rule number in the text streamed so far was checked."""

    question_id: str
    citation: Citation


class AnswerOutcome(BaseEvent, frozen=True):
    """Base of the three ways an answer ends; `response` is the whole text, a stopped or failed one's part
    included."""

    question_id: str
    session_id: str
    response: str
    citations: tuple[Citation, ...]
    usage: Usage | None
    stop_reason: StopReason
    rules_release: str | None
    model: str | None
    notes: tuple[str, ...] = ()


class AnswerCompleted(AnswerOutcome, frozen=True):
    """The answer ended by itself, by length, or was evidence alone."""


class AnswerStopped(AnswerOutcome, frozen=True):
    """The user or a budget stopped it; what was written is kept."""


class AnswerFailed(AnswerOutcome, frozen=True, kw_only=True):
    """It broke; what was written is kept, and `error` says what to do."""

    error: ErrorRecord


class QuestionPrepared(BaseEvent, frozen=True):
    """Retrieval for a question still being typed is done."""

    num_passages: int


class StopAccepted(BaseEvent, frozen=True):
    """The stop was passed on; `found` is False when nothing was running under that id."""

    found: bool


class SessionsListed(BaseEvent, frozen=True):
    """Conversations, newest first."""

    sessions: tuple[SessionRecord, ...]


class SessionsFound(BaseEvent, frozen=True):
    """Where `words` were said, best first; conversations whose title alone holds them come last."""

    words: str
    hits: tuple[SessionHit, ...]


class SessionOpened(BaseEvent, frozen=True):
    """A conversation with its turns, the newest that fit into one frame; `running_question_id` can be
    followed with `FollowAnswer`."""

    session: SessionRecord
    turns: tuple[TurnRecord, ...]
    running_question_id: str | None = None


class SessionChanged(BaseEvent, frozen=True):
    """A conversation was renamed, deleted or brought back."""

    session_id: str
    change: str


class QuestionsListed(BaseEvent, frozen=True):
    """Earlier questions, newest first."""

    questions: tuple[str, ...]


class SessionExported(BaseEvent, frozen=True):
    """A conversation as text, in the format that was asked for."""

    session_id: str
    text: str
    format: str = "markdown"


class MemorySampled(BaseEvent, frozen=True):
    """A fresh snapshot."""

    snapshot: Snapshot


class WatchStopped(BaseEvent, frozen=True):
    """A memory watch ended."""

    request_id: int


class ModelsListed(BaseEvent, frozen=True):
    """Models at hand; `configured` is the one a question would load, `loaded` the one in memory. `note` says
    what would let more of them run."""

    models: tuple[ModelRecord, ...]
    configured: str
    loaded: str | None
    note: str = ""


class ModelPlanned(BaseEvent, frozen=True):
    """What a model would take here, part by part in lines of text; `fits` None is unknown."""

    model: str
    text: str
    fits: bool | None = None


class ModelLoading(BaseEvent, frozen=True):
    """A model is being loaded, since `elapsed_s` seconds; `share` 0 to 1 of the whole where it is known.
    Comes again twice a second; in the stream of a question from the first second on."""

    model: str
    stage: str
    share: float | None = None
    elapsed_s: float = 0.0


class ModelLoaded(BaseEvent, frozen=True):
    """A model is ready and warm."""

    model: ModelRecord
    elapsed_s: float


class ModelUnloaded(BaseEvent, frozen=True):
    """The model's memory was given back."""

    model: str | None


class DataProgressed(BaseEvent, frozen=True):
    """Rules or cards are being fetched or built; `fraction` 0 to 1 where it is known."""

    text: str
    fraction: float | None = None


class DataChanged(BaseEvent, frozen=True):
    """Set-up, an import or an update is done; `text` says line by line what came of it."""

    text: str


class EngineReported(BaseEvent, frozen=True):
    """State of the engine."""

    status: EngineRecord


class EngineStopping(BaseEvent, frozen=True):
    """The engine leaves; with `after_answer` once the running answer is finished."""

    after_answer: bool


Event = (
    Welcomed
    | VersionRefused
    | RequestFailed
    | QuestionAccepted
    | QuestionRouted
    | PassagesRetrieved
    | PlanMade
    | TextStreamed
    | CitationChecked
    | AnswerCompleted
    | AnswerStopped
    | AnswerFailed
    | QuestionPrepared
    | StopAccepted
    | SessionsListed
    | SessionsFound
    | SessionOpened
    | SessionChanged
    | QuestionsListed
    | SessionExported
    | MemorySampled
    | WatchStopped
    | ModelsListed
    | ModelPlanned
    | ModelLoading
    | ModelLoaded
    | ModelUnloaded
    | DataProgressed
    | DataChanged
    | EngineReported
    | EngineStopping
)

# Events that end the stream of their request.
FINAL_EVENTS: tuple[type[BaseEvent], ...] = (
    Welcomed,
    VersionRefused,
    RequestFailed,
    AnswerCompleted,
    AnswerStopped,
    AnswerFailed,
    QuestionPrepared,
    StopAccepted,
    SessionsListed,
    SessionsFound,
    SessionOpened,
    SessionChanged,
    QuestionsListed,
    SessionExported,
    WatchStopped,
    ModelsListed,
    ModelPlanned,
    ModelLoaded,
    ModelUnloaded,
    DataChanged,
    EngineReported,
    EngineStopping,
)
