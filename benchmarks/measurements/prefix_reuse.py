"""Time to first token of a follow-up question, against the identical prompt with an empty cache.

The conversation is written by the decoder itself until it holds 1,200 tokens; the follow-up brings new
passages of at most 250. The cold run meets a decoder that was just opened.
"""

from __future__ import annotations

import statistics
from pathlib import Path

from benchmarks.conversations import HISTORY_TOKENS, first_token_ms, follow_up
from benchmarks.harness import Bench, Target, median_ratio
from benchmarks.homes import require_set_up
from benchmarks.measurements.decode import embedded_decoder
from hexcore_engine.inference.decoders.base import DecodeRequest

TARGETS = (Target("first token, follow-up / empty cache", 0.35),)


def measure(bench: Bench) -> dict[str, float]:
    """Hold conversations, each followed by the same question in a fresh decoder."""
    require_set_up(bench.prepared)
    model = bench.prepared.embedded_model_file
    warm, cold = [], []
    for number in range(bench.rounds(7, quick=1)):
        with embedded_decoder(model) as decoder:
            request = follow_up(decoder, number, bench.rounds(HISTORY_TOKENS, quick=300))
            warm.append(first_token_ms(decoder, request))
        cold.append(cold_ms(model, request))
    return {
        "first token, follow-up / empty cache": median_ratio(warm, cold),
        "follow-up, ms": statistics.median(warm),
        "empty cache, ms": statistics.median(cold),
    }


def cold_ms(model: Path, request: DecodeRequest) -> float:
    """The same in a decoder that has computed nothing."""
    with embedded_decoder(model, warm=()) as decoder:
        return first_token_ms(decoder, request)
