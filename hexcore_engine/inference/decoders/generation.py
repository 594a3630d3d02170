"""The state of one answer in the token loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from hexcore_engine.inference.decoders.base import DecodeFinished
from hexcore_engine.inference.decoders.expert_rows import ExpertRows
from hexcore_engine.inference.decoders.token_text import TokenText
from hexcore_engine.inference.drafting import PromptLookup
from hexcore_engine.inference.sampling import Sampler
from hexcore_engine.models.loader import LoadedTorchModel

# Most tokens computed between two looks at the stop signal, and the time they should take at most; the fewest
# keep a slow machine from paying more for the steps than for the work.
PREFILL_CHUNK = 128
PREFILL_CHUNK_S = 0.12
MIN_PREFILL_CHUNK = 32
# The same after memory ran out: what one step takes falls with it.
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


def fitted_chunk(most: int, warmed: DecodeFinished) -> int:
    """Return how many tokens of a prompt are computed in `PREFILL_CHUNK_S` at the measured speed."""
    computed = warmed.prompt_tokens - warmed.cached_tokens
    if not warmed.prompt_ms or computed < MIN_PREFILL_CHUNK:
        return most
    return min(most, max(MIN_PREFILL_CHUNK, int(computed / warmed.prompt_ms * 1000 * PREFILL_CHUNK_S)))


def end_tokens(loaded: LoadedTorchModel) -> frozenset[int]:
    """Tokens that end an answer: the tokenizer's and all the model's configuration names."""
    configured = getattr(loaded.model.generation_config, "eos_token_id", None)
    configured = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in (*configured, loaded.tokenizer.eos_token_id) if token is not None)
