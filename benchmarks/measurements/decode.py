"""Speed of the embedded decoder, against the same GGUF driven directly through xllamacpp.

Both answer the same prompt with the same settings and as many tokens, in turn; a rate counts the tokens after
the first. Ours crosses HTTP and is held to the grammar of citations, as every answer is.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import programs
from benchmarks.harness import Bench, Target, alternate, median_ratio
from benchmarks.homes import require_set_up
from benchmarks.prompts import counter, digest_passages, passages_from
from hexcore_engine.inference.decoders.base import (
    ChatMessage,
    DecodedText,
    DecodeFinished,
    DecodeRequest,
    StopSignal,
)
from hexcore_engine.inference.decoders.llama_cpp import LlamaCppDecoder, default_threads
from hexcore_engine.inference.decoders.openai_wire import as_dicts
from hexcore_engine.inference.prompt import messages_for, user_message, warm_prompt
from hexcore_engine.settings import Settings

TARGETS = (Target("tokens/s, ours / direct", 0.9, at_least=True),)
DIRECT = (sys.executable, str(Path(programs.__file__).with_name("direct_llama.py")))
# As inference/decoders/llama_child.py sets it.
BATCH = 256
PROMPT_TOKENS = 450
FEWEST_TOKENS = 24
QUESTION = "Explain each of these rules at length, one after the other, with an example for every one."


def measure(bench: Bench) -> dict[str, float]:
    """Let both write the same answer in turn."""
    require_set_up(bench.prepared)
    model = bench.prepared.embedded_model_file
    max_tokens = 192 if not bench.quick else 32
    with embedded_decoder(model) as decoder, direct_decoder(model) as direct:
        # Either may end of itself, elsewhere once its prompt is cached: both write as many as the shortest.
        request = request_for(decoder, max_tokens)
        first = OurRun(decoder, request), DirectRun(direct, request)
        num_tokens = min(tokens_of(run) for run in (*first, *first))
        request = replace(request, max_tokens=num_tokens)
        ours, theirs = OurRun(decoder, request), DirectRun(direct, request)
        our_rates, direct_rates = alternate(bench.rounds(11), ours, theirs)
        if num_tokens < FEWEST_TOKENS or {ours.tokens, theirs.tokens} != {num_tokens}:
            raise AssertionError(f"answers of {ours.tokens} and {theirs.tokens} tokens can't be compared")
    return {
        "tokens/s, ours / direct": median_ratio(our_rates, direct_rates),
        "ours, tokens/s": statistics.median(our_rates),
        "direct, tokens/s": statistics.median(direct_rates),
        "tokens of each answer": num_tokens,
    }


def request_for(decoder: LlamaCppDecoder, max_tokens: int) -> DecodeRequest:
    """A rules question with its evidence, as the pipeline asks it."""
    passages = passages_from(digest_passages(), counter(decoder.count_tokens), PROMPT_TOKENS)
    messages = messages_for((), user_message(QUESTION, ("TEACH",), passages))
    rules = tuple(passage.id for passage in passages)
    return DecodeRequest(messages, max_tokens, repetition_penalty=1.15, citable_rules=rules)


@contextmanager
def embedded_decoder(model: Path, warm: tuple[ChatMessage, ...] = warm_prompt()) -> Iterator[LlamaCppDecoder]:
    """The decoder as the engine opens it; `warm` is the prompt it computes first."""
    settings = Settings()
    decoder = LlamaCppDecoder(
        model,
        context_tokens=settings.model.context_tokens,
        threads=settings.model.threads,
        prompt_cache_mb=settings.engine.prompt_cache_mb,
        warm_prompt=warm,
    )
    try:
        yield decoder
    finally:
        decoder.close()


@contextmanager
def direct_decoder(model: Path) -> Iterator[subprocess.Popen[str]]:
    """xllamacpp in a process of its own, the model loaded with the same settings."""
    settings = Settings()
    process = subprocess.Popen(
        DIRECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        ask_program(
            process,
            {
                "model": str(model),
                "context_tokens": settings.model.context_tokens,
                "threads": settings.model.threads or default_threads(),
                "prompt_cache_mb": settings.engine.prompt_cache_mb,
                "batch": BATCH,
            },
        )
        yield process
    finally:
        process.kill()
        process.wait()


class OurRun:
    """Writes the answer and returns its tokens a second."""

    def __init__(self, decoder: LlamaCppDecoder, request: DecodeRequest) -> None:
        self.tokens = 0
        self._decoder = decoder
        self._request = request

    def __call__(self) -> float:
        """Generate once."""
        times = []
        for item in self._decoder.generate(self._request, StopSignal()):
            if isinstance(item, DecodedText):
                times.append(time.monotonic())
            elif isinstance(item, DecodeFinished):
                self.tokens = item.generated_tokens
        return (self.tokens - 1) / (times[-1] - times[0])


class DirectRun:
    """The same through the direct program."""

    def __init__(self, process: subprocess.Popen[str], request: DecodeRequest) -> None:
        self.tokens = 0
        self._process = process
        self._body = {
            "messages": as_dicts(request.messages),
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "min_p": request.min_p,
            "repeat_penalty": request.repetition_penalty,
            "seed": request.seed,
            "cache_prompt": True,
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    def __call__(self) -> float:
        """Generate once."""
        told = ask_program(self._process, self._body)
        self.tokens = told["tokens"]
        return float((told["tokens"] - 1) / (told["last_s"] - told["first_s"]))


def tokens_of(run: OurRun | DirectRun) -> int:
    """Generate once and return how many tokens that gave."""
    run()
    return run.tokens


def ask_program(process: subprocess.Popen[str], document: dict[str, Any]) -> dict[str, Any]:
    """Send a line to a program and return the line it answers with."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(document) + "\n")
    process.stdin.flush()
    while line := process.stdout.readline():
        # The library prints empty lines of its own.
        if line.strip():
            return dict(json.loads(line))
    raise RuntimeError("the direct program ended")
