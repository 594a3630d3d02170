"""Conversations a decoder holds by itself, and how long one waits for its first word."""

from __future__ import annotations

import time

from benchmarks.prompts import counter, digest_passages, digest_questions, passages_from, turn
from hexcore_engine.inference.decoders.base import DecodedText, Decoder, DecodeRequest, StopSignal
from hexcore_engine.inference.prompt import messages_for, user_message
from hexcore_engine.protocol.records import TurnRecord

HISTORY_TOKENS = 1200
NEW_PASSAGES_TOKENS = 250
ANSWER_TOKENS = 80


def follow_up(decoder: Decoder, number: int, history_tokens: int = HISTORY_TOKENS) -> DecodeRequest:
    """Ask questions until the history is long enough; return the next one, not yet asked. Another `number`
    is another conversation."""
    count = counter(decoder.count_tokens)
    questions = list(digest_questions())[number * 40 :]
    passages = iter(list(digest_passages())[number * 60 :])
    history: list[TurnRecord] = []
    while True:
        new = passages_from(passages, count, NEW_PASSAGES_TOKENS)
        question = questions[len(history)]
        sent = user_message(question, ("REASON",), new)
        rules = tuple(passage.id for passage in new)
        messages = messages_for(tuple(history), sent)
        request = DecodeRequest(messages, ANSWER_TOKENS, repetition_penalty=1.15, citable_rules=rules)
        if decoder.count_tokens(messages[:-1]) >= history_tokens:
            return request
        written = decoder.generate(request, StopSignal())
        response = "".join(item.text for item in written if isinstance(item, DecodedText))
        history.append(turn(question, sent, response))


def first_token_ms(decoder: Decoder, request: DecodeRequest) -> float:
    """Return the time until the first piece of text; the rest is not written."""
    started = time.perf_counter()
    written = decoder.generate(request, StopSignal())
    for item in written:
        if isinstance(item, DecodedText):
            break
    elapsed_ms = (time.perf_counter() - started) * 1000
    written.close()
    return elapsed_ms
