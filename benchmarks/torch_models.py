"""The converted embedded model, opened by torch for measurements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.harness import Bench, NotMeasurable
from benchmarks.homes import require_set_up
from benchmarks.prompts import counter, digest_passages, passages_from
from hexcore_engine.errors import HexcoreError
from hexcore_engine.inference.decoders.base import DecodeRequest
from hexcore_engine.inference.decoders.torch_decoder import TorchDecoder
from hexcore_engine.inference.prompt import messages_for, user_message, warm_prompt
from hexcore_engine.models.catalog import model_folder, require_torch
from hexcore_engine.models.loader import load_torch_model
from hexcore_engine.settings import EMBEDDED_MODEL
from hexcore_engine.utils.device import default_threads

CONTEXT_TOKENS = 2048


def converted_folder(bench: Bench) -> Path:
    """Return the folder of the converted embedded model.

    Raises:
        NotMeasurable: with the command that makes it.
    """
    require_set_up(bench.prepared)
    try:
        require_torch()
        return model_folder(EMBEDDED_MODEL, bench.prepared)
    except HexcoreError as error:
        raise NotMeasurable(f"{error.message} {error.remedy}") from error


@contextmanager
def torch_decoder(folder: Path, kind: str, **options: Any) -> Iterator[TorchDecoder]:
    """The decoder as the engine opens it; `options` are those of `TorchDecoder`, and `dtype`."""
    loaded = load_torch_model(folder, kind, device_map="cpu", dtype=options.pop("dtype", None))
    given = {"context_tokens": CONTEXT_TOKENS, "threads": default_threads(), "prompt_cache_mb": 256}
    decoder = TorchDecoder(loaded, **(given | options))
    decoder.warm(warm_prompt())
    try:
        yield decoder
    finally:
        decoder.close()


def rules_request(
    decoder: TorchDecoder, question: str, prompt_tokens: int, max_tokens: int, skip: int = 0
) -> DecodeRequest:
    """A greedy question with evidence of about `prompt_tokens`, the digest's first `skip` rules left out."""
    entries = list(digest_passages())[skip:]
    passages = passages_from(iter(entries), counter(decoder.count_tokens), prompt_tokens)
    return DecodeRequest(messages_for((), user_message(question, ("TEACH",), passages)), max_tokens)
