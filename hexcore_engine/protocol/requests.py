"""What a client asks of the engine. Imperative names; each says which events answer it.

Every request but the streaming ones is answered by exactly one event; any of them may be answered by
`RequestFailed` instead.
"""

from __future__ import annotations

import msgspec

from hexcore_engine.protocol.records import DecoderName, ModeName


class BaseRequest(msgspec.Struct, frozen=True, tag=True):
    """Base of all requests; the class name travels as the tag."""


class Hello(BaseRequest, frozen=True):
    """First frame of every connection. Answered by `Welcomed`, or by `VersionRefused` and the end of the
    line."""

    protocol_version: int
    fingerprint: str
    client: str


class AskQuestion(BaseRequest, frozen=True):
    """Answer a question. Streams the answer events (see events.py) up to one of the three outcomes.

    `session_id` None starts a conversation, "last" continues the newest. `temperature` 0 is greedy. With
    `use_model` False the evidence alone is returned, with stop reason `no_model`. `continues` names a turn of
    the conversation whose answer was cut short: this one goes on from the same evidence. `num_experts` of the
    likeliest modes write together, or it is refused; 1 writes alone, None is as the settings say.
    """

    question: str
    session_id: str | None = None
    mode: ModeName | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    use_model: bool = True
    latency_budget_ms: float | None = None
    memory_budget_mb: float | None = None
    continues: int | None = None
    num_experts: int | None = None


class PrepareQuestion(BaseRequest, frozen=True):
    """Retrieve for a question still being typed, so that Enter finds its passages ready.
    `QuestionPrepared`."""

    question: str


class StopAnswer(BaseRequest, frozen=True):
    """Stop the answer to `question_id`, or the running one when None. `StopAccepted`; the outcome follows
    on the stream of the question itself."""

    question_id: str | None = None


class FollowAnswer(BaseRequest, frozen=True):
    """Join the stream of a running answer: all its events from the start, then the live ones."""

    question_id: str


class ListSessions(BaseRequest, frozen=True):
    """Newest first. `SessionsListed`."""

    limit: int = 200


class SearchSessions(BaseRequest, frozen=True):
    """Find what was said: conversations with a turn that holds all of `words`, or a title that does. Words in
    double quotes stand in that order; the last word may be unfinished. `SessionsFound`."""

    words: str
    limit: int = 50


class OpenSession(BaseRequest, frozen=True):
    """Read a conversation; "last" is the newest. `SessionOpened`."""

    session_id: str


class RenameSession(BaseRequest, frozen=True):
    """Give a conversation another title. `SessionChanged`."""

    session_id: str
    title: str


class DeleteSession(BaseRequest, frozen=True):
    """Delete a conversation; `undo` brings it back for a week, with "last" the one deleted last.
    `SessionChanged`."""

    session_id: str
    undo: bool = False


class BranchSession(BaseRequest, frozen=True):
    """Begin a conversation with what was said in another before one of its turns; the other stays as it is.
    `SessionOpened`, of the new one."""

    session_id: str
    before_turn_id: int


class ListQuestions(BaseRequest, frozen=True):
    """The questions asked in all conversations, each once. `QuestionsListed`."""

    limit: int = 500


class ExportSession(BaseRequest, frozen=True):
    """Write a conversation as text. `SessionExported`."""

    session_id: str
    format: str = "markdown"


class WatchMemory(BaseRequest, frozen=True):
    """Stream `MemorySampled` every `interval_s` seconds until `StopWatching` names this request or the
    line ends."""

    interval_s: float = 1.0


class StopWatching(BaseRequest, frozen=True):
    """End a `WatchMemory` stream by its request id. `WatchStopped`."""

    request_id: int


class ListModels(BaseRequest, frozen=True):
    """Models at hand and the configured one. `ModelsListed`."""


class PlanModel(BaseRequest, frozen=True):
    """Say what a model would take in memory before it is loaded; named as in `LoadModel`. `ModelPlanned`."""

    model: str


class LoadModel(BaseRequest, frozen=True):
    """Load a model: a GGUF file, a server's http(s) address, "embedded" or "scripted"; None is the configured
    one. Finishes or stops the running answer first. Streams `ModelLoading`, then `ModelLoaded`."""

    model: str | None = None
    decoder: DecoderName | None = None
    quantization: str | None = None
    stop_running: bool = False


class UnloadModel(BaseRequest, frozen=True):
    """Give the model's memory back. `ModelUnloaded`."""


class RunSetup(BaseRequest, frozen=True):
    """Fetch and build what set-up provides and is not there. Streams `DataProgressed`, then
    `DataChanged`."""


class ImportData(BaseRequest, frozen=True):
    """Import a rules or card file, named as the engine's machine knows it. Answered like `RunSetup`."""

    file: str


class UpdateData(BaseRequest, frozen=True):
    """Ask the sources for newer rules and cards. Answered like `RunSetup`."""


class EngineStatus(BaseRequest, frozen=True):
    """`EngineReported`."""


class StopEngine(BaseRequest, frozen=True):
    """Leave: after the running answer, or at once with `now`. `EngineStopping`."""

    now: bool = False


Request = (
    Hello
    | AskQuestion
    | PrepareQuestion
    | StopAnswer
    | FollowAnswer
    | ListSessions
    | SearchSessions
    | OpenSession
    | RenameSession
    | DeleteSession
    | BranchSession
    | ListQuestions
    | ExportSession
    | WatchMemory
    | StopWatching
    | ListModels
    | PlanModel
    | LoadModel
    | UnloadModel
    | RunSetup
    | ImportData
    | UpdateData
    | EngineStatus
    | StopEngine
)
