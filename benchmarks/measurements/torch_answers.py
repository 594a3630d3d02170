"""Waiting with the torch decoder: the first token of a second question, and stopping.

The conversation is written by the decoder itself until it holds 1,200 tokens; the follow-up brings new
passages of at most 250. The cold run has an empty cache. A stop is asked for in the middle of the prompt and
of the answer, by another thread, and timed until the generator has ended.
"""

from __future__ import annotations

import statistics
import threading
import time

from benchmarks.conversations import HISTORY_TOKENS, first_token_ms, follow_up
from benchmarks.harness import Bench, Target, median_ratio
from benchmarks.torch_models import converted_folder, rules_request, torch_decoder
from hexcore_engine.inference.decoders.base import StopSignal
from hexcore_engine.inference.decoders.torch_decoder import TorchDecoder

TARGETS = (
    Target("first token, follow-up / empty cache", 0.25),
    Target("stop to end, slowest", 150, "ms"),
)


def measure(bench: Bench) -> dict[str, float]:
    """Hold conversations, then stop answers."""
    folder = converted_folder(bench)
    warm, cold = [], []
    with torch_decoder(folder, "none") as decoder:
        for number in range(bench.rounds(5, quick=1)):
            request = follow_up(decoder, number, bench.rounds(HISTORY_TOKENS, quick=300))
            warm.append(first_token_ms(decoder, request))
            decoder.kv_cache_manager.clear()
            cold.append(first_token_ms(decoder, request))
            decoder.kv_cache_manager.clear()
        stops = [stop_ms(decoder, delay, number) for number, delay in enumerate(delays(bench))]
    return {
        "first token, follow-up / empty cache": median_ratio(warm, cold),
        "follow-up, ms": statistics.median(warm),
        "empty cache, ms": statistics.median(cold),
        "stop to end, slowest": max(stops),
        "stop to end, median, ms": statistics.median(stops),
    }


def delays(bench: Bench) -> list[float]:
    """Seconds after which a stop is asked for: in the prompt and in the answer."""
    return [0.1, 1.5] if bench.quick else [0.05, 0.1, 0.15, 0.25, 0.35, 1.5, 1.7, 2.0, 2.2, 2.5]


def stop_ms(decoder: TorchDecoder, delay_s: float, number: int) -> float:
    """Return how long an answer goes on after it was stopped."""
    request = rules_request(decoder, "Explain all of it at length.", 900, 400, skip=20 * number)
    stop = StopSignal()
    asked_at = 0.0

    def ask_to_stop() -> None:
        nonlocal asked_at
        asked_at = time.perf_counter()
        stop.set()

    timer = threading.Timer(delay_s, ask_to_stop)
    timer.start()
    for _ in decoder.generate(request, stop):
        pass
    ended = time.perf_counter()
    timer.join()
    return max(0.0, (ended - asked_at) * 1000)
