"""What a decoder is: the one seam between the pipeline and whatever runs the model.

A decoder is driven from the single inference thread. `generate` yields pieces of text as they come, a
`DecodedStep` where it had to give something up, and ends with exactly one `DecodeFinished`; closing the
generator early ends its work. It must look at its `StopSignal` between any two tokens and between prefill
chunks, and must end with stop reason "stopped" when told to, keeping the tokens already yielded. A decoder
that loses its runner raises `DecoderError`; the pieces already yielded stay valid.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal, Protocol

from hexcore_engine.protocol.records import Basis, CacheStats, ModelRecord, ModeName

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class ChatMessage:
    """One message of the prompt; earlier ones are repeated byte for byte so that their computation is
    reused."""

    role: Role
    content: str


@dataclass(frozen=True)
class Expert:
    """A mode that is to write, and how likely the router holds it, 0 to 1."""

    mode: ModeName
    weight: float = 1.0


@dataclass(frozen=True)
class DecodeRequest:
    """One generation.

    `experts` name whose adapter writes, the likeliest first; several may be mixed. A decoder without adapters
    ignores them. With `must_mix` what keeps several from writing together is raised, an unproven gate too.
    `citable_rules` None leaves decoding free; otherwise only these numbers can appear inside square brackets,
    and with an empty tuple no bracket can be written. `temperature` 0 is greedy. A decoder that can ends with
    "budget" at the `deadline` (on the monotonic clock), and when its keys and values would hold more than
    `cache_limit_bytes` even with all kept prompts given up.
    """

    messages: tuple[ChatMessage, ...]
    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    seed: int = 1
    stop: tuple[str, ...] = ()
    citable_rules: tuple[str, ...] | None = None
    experts: tuple[Expert, ...] = ()
    must_mix: bool = False
    deadline: float | None = None
    cache_limit_bytes: int | None = None


@dataclass(frozen=True)
class DecodedText:
    """A piece of the answer and how many tokens it stands for."""

    text: str
    num_tokens: int = 1


@dataclass(frozen=True)
class DecodedStep:
    """Something given up in mid-answer so that it goes on, or why it does not; `name` as in `PlanStep`."""

    name: str
    detail: str


@dataclass(frozen=True)
class DecodeFinished:
    """The end of a generation. Token counts are the model's own; `prompt_ms` is the time spent on the
    prompt; `notes` are sentences about who wrote, for the reader."""

    stop_reason: Literal["end", "length", "stopped", "budget"]
    prompt_tokens: int
    cached_tokens: int
    generated_tokens: int
    prompt_ms: float | None = None
    tokens_per_s: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DecoderMemory:
    """Memory of a loaded model by part, bytes. `pids` are the processes that hold it.

    What an answer adds is told where it is not held already: `bytes_per_token` of prompt and answer, and
    `step_bytes` of scratch space while they are computed. `releasable_bytes` of the cache can be given up.
    """

    weights_bytes: int
    kv_cache_bytes: int
    workspace_bytes: int
    basis: Basis
    pids: tuple[int, ...]
    bytes_per_token: int = 0
    step_bytes: int = 0
    releasable_bytes: int = 0


class OpeningStopped(Exception):
    """Raised by whoever opens a decoder when the question was stopped meanwhile."""


class StopSignal:
    """Asks a generation to end; safe to set from any thread.

    Callbacks run once, in the thread that sets it, so that a decoder waiting on a socket can be woken.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    def is_set(self) -> bool:
        """Whether the generation should end."""
        return self._event.is_set()

    def set(self) -> None:
        """Ask it to end; a second call does nothing."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_set(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when the signal is set (at once if it is); returns a function that takes it
        back."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return lambda: self._forget(callback)
        callback()
        return lambda: None

    def _forget(self, callback: Callable[[], None]) -> None:
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)


class Decoder(Protocol):
    """A loaded, warm model that can write."""

    @property
    def model(self) -> ModelRecord:
        """What is loaded."""
        ...

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and answer may hold together."""
        ...

    @property
    def warmed(self) -> DecodeFinished | None:
        """What the warm-up measured; None where there was none."""
        ...

    def count_tokens(self, messages: tuple[ChatMessage, ...]) -> int:
        """Return how many tokens the prompt of these messages takes, template included; may be an upper
        estimate on a server that can't tell."""
        ...

    def generate(
        self, request: DecodeRequest, stop: StopSignal
    ) -> Generator[DecodedText | DecodedStep | DecodeFinished, None, None]:
        """Write an answer; see the module's contract."""
        ...

    def memory(self) -> DecoderMemory | None:
        """Memory by part, or None where it lives on another machine."""
        ...

    def cache_stats(self) -> CacheStats | None:
        """Prefix reuse since loading, or None where unknown."""
        ...

    def is_usable(self) -> bool:
        """Whether its runner still lives, as far as can be told without asking it."""
        ...

    def close(self) -> None:
        """Give the memory back; the decoder can't be used afterwards. Safe to call twice."""
        ...
