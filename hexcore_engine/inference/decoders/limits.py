"""What ends or narrows an answer of the token loop between two steps: the user, the clock, memory."""

from __future__ import annotations

import gc
import time
from collections.abc import Generator
from typing import Literal

from hexcore_engine import errors
from hexcore_engine.inference.decoders.base import DecodedStep, DecodeRequest, StopSignal
from hexcore_engine.inference.decoders.generation import SMALL_PREFILL_CHUNK, Generation
from hexcore_engine.inference.kv_cache.manager import KVCacheManager
from hexcore_engine.models.loader import LoadedTorchModel

MIB = 2**20


def ended_by(request: DecodeRequest, stop: StopSignal) -> Literal["stopped", "budget"] | None:
    """What ends an answer now, whatever it has come to: the user or the clock."""
    if stop.is_set():
        return "stopped"
    if request.deadline is not None and time.monotonic() > request.deadline:
        return "budget"
    return None


class AnswerLimits:
    """Looks at the limits of one decoder's answers; `kept` are its prompts already computed, a token of which
    takes `bytes_per_token`."""

    def __init__(self, kept: KVCacheManager, bytes_per_token: int) -> None:
        self._kept = kept
        self.bytes_per_token = bytes_per_token

    def must_end(
        self, request: DecodeRequest, stop: StopSignal, progress: Generation, num_tokens: int
    ) -> Generator[DecodedStep, None, bool]:
        """Whether the next step, after which the cache holds `num_tokens`, may not be taken; gives kept
        prompts up where that helps."""
        if ended := ended_by(request, stop):
            progress.stop_reason = ended
            return True
        limit = request.cache_limit_bytes
        if limit is None:
            return False
        needed = num_tokens * progress.rows.num_rows * self.bytes_per_token
        kept = self._kept.statistics().device_bytes
        if kept and needed + kept > limit:
            released = self._kept.shrink(max(0, limit - needed))
            yield DecodedStep(
                "cache", f"gave up {released / MIB:.1f} MiB of prompts kept for later questions"
            )
        if needed <= limit:
            return False
        progress.stop_reason = "budget"
        yield DecodedStep(
            "length",
            f"ended after {len(progress.written)} tokens: keys and values would take {needed / MIB:.1f} MiB, "
            f"and the memory budget leaves {limit / MIB:.1f}",
        )
        return True

    def one_step_lower(self, progress: Generation, loaded: LoadedTorchModel, reason: str) -> DecodedStep:
        """Free what can be freed and make the steps smaller; the answer goes on where it stopped.

        Raises:
            MemoryError: when that was done before.
        """
        kept = self._kept.statistics().device_bytes
        running = progress.computed * progress.rows.num_rows * self.bytes_per_token
        self._kept.clear()
        if progress.gave_up_cache:
            progress.rows.cache = None
            free_unused()
            raise errors.MemoryError(
                f"The device ran out of memory after {len(progress.written)} tokens, with "
                f"{loaded.weights_bytes / MIB:,.0f} MiB of weights and {running / MIB:,.1f} MiB of keys and "
                f"values ({reason}); what was written is kept.",
                "Ask again with a shorter conversation, or load the model with `--quantization 4bit`.",
            )
        progress.gave_up_cache = True
        progress.chunk, progress.lookup = SMALL_PREFILL_CHUNK, None
        # At least the last token is computed anew: its logits were lost.
        progress.computed = min(progress.computed, len(progress.tokens) - 1)
        # Layers before the one that ran out hold tokens the others lack.
        progress.rows.repair(progress.computed)
        free_unused()
        return DecodedStep(
            "cache",
            f"memory ran out after {len(progress.written)} tokens: gave up {kept / MIB:.1f} MiB of kept "
            "prompts and drafting, and went on in smaller steps",
        )


def free_unused() -> None:
    """Give memory that nothing refers to back to the device."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
