"""The state of one answer in the token loop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Literal

from hexcore_engine.inference.decoders.expert_rows import ExpertRows
from hexcore_engine.inference.decoders.token_text import TokenText
from hexcore_engine.inference.drafting import PromptLookup
from hexcore_engine.inference.sampling import Sampler
from hexcore_engine.models.loader import LoadedTorchModel

# Most tokens of a prompt computed at once: what an interrupted step loses, and what scratch space grows with.
PREFILL_CHUNK = 320
# The same after memory ran out.
SMALL_PREFILL_CHUNK = 16


@dataclass
class Generation:
    """One answer in the making: what was computed, what is left to do, and what stopped it.

    `rows` hold the first `computed` of the tokens; they may hold more, or their layers unequal numbers, while
    a step is under way.
    """

    prompt: list[int]
    rows: ExpertRows
    sampler: Sampler
    text: TokenText
    lookup: PromptLookup | None
    room: int
    written: list[int] = field(default_factory=list)
    cached_tokens: int = 0
    computed: int = 0
    chunk: int = PREFILL_CHUNK
    gave_up_cache: bool = False
    stop_reason: Literal["end", "length", "stopped", "budget"] = "length"
    prompt_ms: float = 0.0
    decode_s: float = 0.0

    @property
    def tokens(self) -> list[int]:
        """Prompt and answer."""
        return self.prompt + self.written

    def next_chunk(self) -> int:
        """Return where the next step of the prompt ends; steps are as equal as can be, `chunk` at most."""
        left = len(self.tokens) - self.computed
        return self.computed + ceil(left / ceil(left / self.chunk))

    @contextmanager
    def timed_prompt(self) -> Iterator[None]:
        """Count what is done inside as time spent on the prompt, unless the answer has begun."""
        started = time.perf_counter()
        try:
            yield
        finally:
            if not self.written:
                self.prompt_ms += (time.perf_counter() - started) * 1000

    @contextmanager
    def timed_answer(self) -> Iterator[None]:
        """Count what is done inside as time spent on the answer."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.decode_s += time.perf_counter() - started


def end_tokens(loaded: LoadedTorchModel) -> frozenset[int]:
    """Tokens that end an answer: the tokenizer's and all the model's configuration names."""
    configured = getattr(loaded.model.generation_config, "eos_token_id", None)
    configured = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in (*configured, loaded.tokenizer.eos_token_id) if token is not None)
