"""Time to first token of a follow-up question, against the identical prompt with an empty cache.

The conversation is written by the decoder itself until it holds 1,200 tokens; the follow-up brings new
passages of at most 250. The cold run meets a decoder that was just opened.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from benchmarks.harness import Bench, Target, median_ratio
from benchmarks.homes import require_set_up
from benchmarks.measurements.decode import embedded_decoder
from benchmarks.prompts import counter, digest_passages, digest_questions, passages_from, turn
from hexcore_engine.inference.decoders.base import DecodedText, DecodeRequest, StopSignal
from hexcore_engine.inference.decoders.llama_cpp import LlamaCppDecoder
from hexcore_engine.inference.prompt import messages_for, user_message
from hexcore_engine.protocol.records import TurnRecord

TARGETS = (Target("first token, follow-up / empty cache", 0.35),)
HISTORY_TOKENS = 1200
NEW_PASSAGES_TOKENS = 250
ANSWER_TOKENS = 80


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


def follow_up(decoder: LlamaCppDecoder, number: int, history_tokens: int) -> DecodeRequest:
    """Ask questions until the history is long enough; return the next one, not yet asked."""
    count = counter(decoder.count_tokens)
    questions = list(digest_questions())[number * 40 :]
    passages = iter(list(digest_passages())[number * 60 :])
    history: list[TurnRecord] = []
    while True:
        new = passages_from(passages, count, NEW_PASSAGES_TOKENS)
        question = questions[len(history)]
        sent = user_message(question, "REASON", new)
        rules = tuple(passage.id for passage in new)
        messages = messages_for(tuple(history), sent)
        request = DecodeRequest(messages, ANSWER_TOKENS, repetition_penalty=1.15, citable_rules=rules)
        if decoder.count_tokens(messages[:-1]) >= history_tokens:
            return request
        written = decoder.generate(request, StopSignal())
        response = "".join(item.text for item in written if isinstance(item, DecodedText))
        history.append(turn(question, sent, response))


def cold_ms(model: Path, request: DecodeRequest) -> float:
    """The same in a decoder that has computed nothing."""
    with embedded_decoder(model, warm=()) as decoder:
        return first_token_ms(decoder, request)


def first_token_ms(decoder: LlamaCppDecoder, request: DecodeRequest) -> float:
    """Return the time until the first piece of text; the rest is not written."""
    started = time.monotonic()
    written = decoder.generate(request, StopSignal())
    for item in written:
        if isinstance(item, DecodedText):
            break
    elapsed_ms = (time.monotonic() - started) * 1000
    written.close()
    return elapsed_ms
