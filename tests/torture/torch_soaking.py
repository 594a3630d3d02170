"""A torch decoder that answers one question after another and weighs its process:
`python -m tests.torture.torch_soaking FOLDER COUNT WARM_UP` writes what it saw as JSON."""

from __future__ import annotations

import gc
import itertools
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks.programs.torch_memory import held_bytes
from benchmarks.prompts import digest_passages, digest_questions, turn
from hexcore_engine.inference.decoders.base import DecodedText, DecodeFinished, DecodeRequest, StopSignal
from hexcore_engine.inference.decoders.torch_decoder import TorchDecoder
from hexcore_engine.inference.prompt import messages_for, user_message, warm_prompt
from hexcore_engine.models.loader import load_torch_model
from hexcore_engine.protocol.records import TurnRecord
from hexcore_engine.utils.device import default_threads

MAX_TOKENS = 24
PASSAGES_A_QUESTION = 3
TURNS_A_CONVERSATION = 4
# One answer of so many is stopped after its first words: the last of a conversation, so that no prompt's
# length depends on when it was heard.
STOPPED_EVERY = 4
# Full soon, so that kept prompts come and go.
PROMPT_CACHE_MB = 16
SAMPLE_EVERY = 5


def conversations() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Questions, all different, each with what is sent for it and the rules it may cite."""
    passages = itertools.cycle(digest_passages())
    for question in dict.fromkeys(digest_questions()):
        found = tuple(itertools.islice(passages, PASSAGES_A_QUESTION))
        rules = tuple(passage.id for passage in found)
        yield question, user_message(question, ("REASON",), found), rules


def answer(decoder: TorchDecoder, request: DecodeRequest, stopped: bool) -> tuple[str, DecodeFinished]:
    """Write one answer."""
    stop, text = StopSignal(), ""
    for item in decoder.generate(request, stop):
        if isinstance(item, DecodedText):
            text += item.text
            if stopped:
                stop.set()
        elif isinstance(item, DecodeFinished):
            return text, item
    raise AssertionError("an answer did not end")


def soak(folder: Path, count: int, warm_up: int) -> dict[str, Any]:
    """Ask, weigh, and return how the answers ended and what the process held."""
    loaded = load_torch_model(folder, "none", device_map="cpu")
    decoder = TorchDecoder(
        loaded, context_tokens=2048, threads=default_threads(), prompt_cache_mb=PROMPT_CACHE_MB
    )
    decoder.warm(warm_prompt())
    history: list[TurnRecord] = []
    ends: list[tuple[str, int, str]] = []
    samples: list[tuple[int, int, int]] = []
    for number, (question, sent, rules) in enumerate(itertools.islice(conversations(), count)):
        if number % TURNS_A_CONVERSATION == 0:
            history.clear()
        request = DecodeRequest(
            messages_for(tuple(history), sent), MAX_TOKENS, repetition_penalty=1.15, citable_rules=rules
        )
        text, end = answer(decoder, request, number % STOPPED_EVERY == STOPPED_EVERY - 1)
        history.append(turn(question, sent, text))
        ends.append((end.stop_reason, end.generated_tokens, text))
        if number >= warm_up and number % SAMPLE_EVERY == 0:
            gc.collect()
            samples.append((held_bytes(folder), psutil.Process().num_threads(), threading.active_count()))
    stats = decoder.kv_cache_manager.statistics()
    decoder.close()
    return {"ends": ends, "samples": samples, "reused_share": stats.reused_tokens / stats.prompt_tokens}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(soak(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
