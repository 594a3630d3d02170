"""Speed of our token loop, against transformers' own generate and, when it drafts, against itself.

The same loaded model, the same prompt of about 700 tokens, greedy, in turn; a rate counts the tokens after
the first. Drafting is measured on an answer that quotes the rules in front of it; how far both answers are
the same is recorded, with the gap between the two best logits where they part.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.harness import Bench, Target, alternate, median_ratio
from benchmarks.prompts import counter, digest_passages, passages_from
from benchmarks.torch_models import converted_folder, rules_request, torch_decoder
from hexcore_engine.inference.decoders.base import (
    ChatMessage,
    DecodedText,
    DecodeFinished,
    DecodeRequest,
    StopSignal,
)
from hexcore_engine.inference.decoders.generation import Generation
from hexcore_engine.inference.decoders.torch_decoder import TorchDecoder

KINDS = {"bf16": "none", "NF4": "4bit"}
PROMPT_TOKENS = 640
LONG = "Explain each of these rules at length, one after the other, with an example for every one."
QUOTING = "Repeat all of the rules above word for word, each with its number in brackets."
QUOTED_TOKENS = 260

TARGETS = (
    *(Target(f"tokens/s, ours / generate, {name}", 0.97, at_least=True) for name in KINDS),
    *(Target(f"tokens/s, drafting / plain, {name}", 1.8, at_least=True) for name in KINDS),
)


def measure(bench: Bench) -> dict[str, float]:
    """Let each write the same answer in turn."""
    folder = converted_folder(bench)
    figures: dict[str, float] = {}
    for name, kind in KINDS.items():
        with torch_decoder(folder, kind, drafting=False) as plain:
            figures |= _against_generate(bench, plain, name)
            figures |= _drafting(bench, plain, name)
    return figures


def _against_generate(bench: Bench, decoder: TorchDecoder, name: str) -> dict[str, float]:
    request = rules_request(decoder, LONG, PROMPT_TOKENS, 64 if not bench.quick else 8)
    ours = partial(our_rate, decoder, request)
    theirs = partial(generate_rate, decoder, request)
    ours(), theirs()
    our_rates, their_rates = alternate(bench.rounds(7), ours, theirs)
    return {
        f"tokens/s, ours / generate, {name}": median_ratio(our_rates, their_rates),
        f"ours, tokens/s, {name}": statistics.median(our_rates),
        f"generate, tokens/s, {name}": statistics.median(their_rates),
    }


def _drafting(bench: Bench, plain: TorchDecoder, name: str) -> dict[str, float]:
    request = quoting_request(plain, 160 if not bench.quick else 8)
    drafting = TorchDecoder(
        plain._need(), context_tokens=plain.context_tokens, threads=plain_threads(), prompt_cache_mb=256
    )
    runs: list[Callable[[], float]] = [lambda: our_rate(drafting, request), lambda: our_rate(plain, request)]
    for run in runs:
        run()
    rates = alternate(bench.rounds(5), *runs)
    return {
        f"tokens/s, drafting / plain, {name}": median_ratio(*rates),
        f"drafting, tokens/s, {name}": statistics.median(rates[0]),
        **_divergence(plain, drafting, request, name),
    }


def quoting_request(decoder: TorchDecoder, max_tokens: int) -> DecodeRequest:
    """Rules and the wish to have them repeated, without the instructions of a mode: those ask for a verdict,
    which ends before anything was quoted."""
    passages = passages_from(digest_passages(), counter(decoder.count_tokens), QUOTED_TOKENS)
    rules = "\n".join(f"[{passage.id}] {passage.text}" for passage in passages)
    return DecodeRequest((ChatMessage("user", f"{rules}\n\n{QUOTING}"),), max_tokens)


def _divergence(
    plain: TorchDecoder, drafting: TorchDecoder, request: DecodeRequest, name: str
) -> dict[str, float]:
    """Where the two answers part, and how close the two best logits are there."""
    import torch

    texts = [tokens_of(decoder, request) for decoder in (plain, drafting)]
    same = next((i for i, pair in enumerate(zip(*texts, strict=False)) if pair[0] != pair[1]), None)
    figures = {f"drafted tokens that are the same, {name}": float(len(texts[0]) if same is None else same)}
    if same is None:
        return figures
    known = plain._encode(request.messages) + texts[0][:same]
    with torch.inference_mode():
        logits = plain.torch_model(input_ids=torch.tensor([known])).logits[0, -1].float()
    best, second = logits.topk(2).values.tolist()
    return figures | {f"gap of the two best logits there, {name}": best - second}


def plain_threads() -> int:
    """The threads torch uses already."""
    import torch

    return int(torch.get_num_threads())


def our_rate(decoder: TorchDecoder, request: DecodeRequest) -> float:
    """Generate once; returns tokens a second after the first."""
    first = last = 0.0
    first_tokens = 0
    end: DecodeFinished | None = None
    for item in decoder.generate(request, StopSignal()):
        last = time.perf_counter()
        if isinstance(item, DecodedText) and not first:
            first, first_tokens = last, item.num_tokens
        elif isinstance(item, DecodeFinished):
            end = item
    assert end is not None
    return (end.generated_tokens - first_tokens) / (last - first)


def tokens_of(decoder: TorchDecoder, request: DecodeRequest) -> list[int]:
    """Generate once; returns the tokens drawn."""
    written: list[int] = []
    keep = decoder._begin

    def begin(asked: DecodeRequest) -> Generation:
        nonlocal written
        progress = keep(asked)
        written = progress.written
        return progress

    decoder._begin = begin  # type: ignore[method-assign, assignment]
    try:
        for _ in decoder.generate(request, StopSignal()):
            pass
    finally:
        decoder._begin = keep  # type: ignore[method-assign]
    return written


def generate_rate(decoder: TorchDecoder, request: DecodeRequest) -> float:
    """The same through transformers' generate."""
    import torch
    from transformers.generation.streamers import BaseStreamer

    class Times(BaseStreamer):  # type: ignore[misc]
        def __init__(self) -> None:
            self.at: list[float] = []

        def put(self, value: Any) -> None:
            self.at.append(time.perf_counter())

        def end(self) -> None:
            pass

    times = Times()
    ids = torch.tensor([decoder._encode(request.messages)])
    with torch.inference_mode():
        decoder.torch_model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=request.max_tokens,
            do_sample=False,
            streamer=times,
        )
    # The prompt is put first.
    written = times.at[1:]
    return (len(written) - 1) / (written[-1] - written[0])
