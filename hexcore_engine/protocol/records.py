"""Frozen values that cross the process border, inside requests and events or beside them.

Sizes are bytes, times milliseconds (`_ms`) or seconds (`_s`), dates ISO 8601 text.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

ModeName = Literal["REASON", "EXPLAIN", "TEACH", "PREDICT", "RETROSPECT"]
MODE_NAMES: tuple[ModeName, ...] = ("REASON", "EXPLAIN", "TEACH", "PREDICT", "RETROSPECT")

PassageKind = Literal["rule", "card", "ruling", "glossary", "digest"]
CitationStatus = Literal["quoted", "retrieved", "exists-not-retrieved", "unknown"]
StopReason = Literal["end", "length", "stopped", "budget", "engine_lost", "refused", "no_model"]
DecoderName = Literal["llama_cpp", "openai", "torch", "scripted"]
Basis = Literal["measured", "computed"]

# The words people read for a citation's status, wherever one is shown.
CITATION_WORDS: dict[CitationStatus, str] = {
    "quoted": "quoted",
    "retrieved": "from the evidence",
    "exists-not-retrieved": "exists, not retrieved",
    "unknown": "unknown",
}


class Record(msgspec.Struct, frozen=True):
    """Base of all values here: immutable."""


class ErrorRecord(Record, frozen=True):
    """An error as it crosses the border: stable code, what happened, what to do."""

    code: str
    message: str
    remedy: str


class ModeProbability(Record, frozen=True):
    """One mode and how likely it is the one meant, 0 to 1."""

    mode: ModeName
    probability: float


class ModeChoice(Record, frozen=True):
    """The mode a question was understood in.

    `confidence` is 0 to 1 and 1.0 when the user pinned the mode. When `abstained`, `mode` is only the best
    guess; `ranked` holds all five, most likely first, and sums to 1.
    """

    mode: ModeName
    confidence: float
    abstained: bool = False
    pinned: bool = False
    ranked: tuple[ModeProbability, ...] = ()

    @property
    def modes(self) -> tuple[ModeName, ...]:
        """The mode, and the second one it may be where the choice abstained between two; it is one also where
        nothing could judge the question and every mode is as likely."""
        if not self.abstained or len(self.ranked) < 2:
            return (self.mode,)
        second, last = self.ranked[1], self.ranked[-1]
        is_second = second.probability > last.probability or len(self.ranked) == 2
        return (self.mode, second.mode) if is_second else (self.mode,)


class Passage(Record, frozen=True):
    """A retrieved text with the reason it is here.

    `id` is the bare rule number (702.19b), the exact card name or the glossary term. `source` says where the
    text comes from in words a reader understands, e.g. "Comprehensive Rules 2026-01-16" or "in our words, not
    official". `official` is False for our own words.
    """

    kind: PassageKind
    id: str
    title: str
    text: str
    why: str
    source: str
    official: bool = True
    score: float = 0.0


class Citation(Record, frozen=True):
    """A rule number printed in an answer, and what was checked about it.

    `start` and `end` are character offsets of the number in the response, brackets included where there
    are any.
    """

    rule: str
    bracketed: bool
    status: CitationStatus
    start: int
    end: int


class Usage(Record, frozen=True):
    """What one answer cost. Token counts are the model's own; `ttft_ms` runs from the question's
    admission."""

    prompt_tokens: int
    cached_tokens: int
    generated_tokens: int
    ttft_ms: float | None
    tokens_per_s: float | None
    peak_memory_bytes: int | None = None


class PlanStep(Record, frozen=True):
    """One thing given up to fit a budget or the context, in words, e.g. "left out 3 of 8 passages"."""

    name: str
    detail: str


class AnswerPlan(Record, frozen=True):
    """What admission predicted and gave up before the model ran.

    `sent` is the user message exactly as the model sees it; follow-ups repeat it byte for byte.
    """

    prompt_tokens: int
    max_tokens: int
    context_tokens: int
    num_passages: int
    given_up: tuple[PlanStep, ...] = ()
    predicted_peak_bytes: int | None = None
    predicted_time_ms: float | None = None
    sent: str = ""


class ModelRecord(Record, frozen=True):
    """A model this engine runs or could run.

    `location` is a file, a folder or a server's address; never a key. `small` marks models whose text is
    labelled a small model's draft. `weights_bytes` is None where a server hides it.
    """

    name: str
    location: str
    decoder: DecoderName
    quantization: str | None = None
    weights_bytes: int | None = None
    context_tokens: int | None = None
    num_parameters: int | None = None
    small: bool = False
    available: bool = True
    note: str = ""


class MemoryRow(Record, frozen=True):
    """One part of a device's memory. Rows of one device never sum to more than its total."""

    name: Literal["weights", "kv_cache", "workspace", "engine_rest", "reserved", "others", "free"]
    size_bytes: int
    basis: Basis


class DeviceSnapshot(Record, frozen=True):
    """One device's memory at one moment. `index` counts devices of a kind from 0.

    A lost device keeps its name and says so in `note`.
    """

    kind: Literal["cpu", "gpu"]
    index: int
    name: str
    total_bytes: int
    rows: tuple[MemoryRow, ...]
    utilization_percent: float | None = None
    lost: bool = False
    note: str = ""


class CacheStats(Record, frozen=True):
    """How often prefixes already computed were reused, in tokens, since the model was loaded."""

    prompt_tokens: int
    cached_tokens: int


class Snapshot(Record, frozen=True):
    """Measured memory of the machine and the engine, frozen at one moment. `taken_at` is seconds since
    1970."""

    taken_at: float
    devices: tuple[DeviceSnapshot, ...]
    gpu_note: str
    model: ModelRecord | None = None
    cache: CacheStats | None = None
    last_answer: Usage | None = None


class EngineRecord(Record, frozen=True):
    """State of the engine process.

    `clients` counts connections, the asking one included; `busy` from a question's admission to its last
    event; `generated_tokens` of the running answer, 0 when none; `vectors` says in words whether rules are
    found by meaning, too.
    """

    running: bool
    pid: int | None
    model: str | None
    decoder: DecoderName | None
    quantization: str | None
    uptime_s: float
    clients: int
    busy: bool
    generated_tokens: int
    version: str = ""
    rules_release: str | None = None
    cards_date: str | None = None
    vectors: str = ""


class TurnRecord(Record, frozen=True):
    """One question and its answer as stored. `stop_reason` is None while the answer is still being
    written."""

    turn_id: int
    question: str
    mode: ModeChoice | None
    passages: tuple[Passage, ...]
    response: str
    citations: tuple[Citation, ...]
    usage: Usage | None
    stop_reason: StopReason | None
    rules_release: str | None
    model: str | None
    asked_at: str
    error: ErrorRecord | None = None
    notes: tuple[str, ...] = ()
    sent: str = ""


class SessionRecord(Record, frozen=True):
    """A conversation on disk, without its turns. Dates are ISO 8601 with time zone."""

    session_id: str
    title: str
    created_at: str
    updated_at: str
    num_turns: int
    running: bool = False


class SessionHit(Record, frozen=True):
    """A conversation in which words were found.

    `excerpt` is a piece of what was said around them, or empty where only the title holds them; `marks` are
    their character offsets in it. `num_found` counts the turns that hold all the words.
    """

    session: SessionRecord
    excerpt: str
    marks: tuple[tuple[int, int], ...] = ()
    num_found: int = 0


def to_builtins(value: Any) -> Any:
    """Return `value` (a record, event or container of them) as plain dicts and lists, for JSON output."""
    return msgspec.to_builtins(value)
