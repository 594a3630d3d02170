"""Answers of the token loop at the limits of time and memory; memory really runs out in a child process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.inference.decoders.base import (
    ChatMessage,
    DecodedStep,
    DecodedText,
    DecodeFinished,
    DecodeRequest,
    StopSignal,
)

torch = pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = pytest.mark.slow

from hexcore_engine.inference.decoders.torch_decoder import TorchDecoder  # noqa: E402
from hexcore_engine.models.loader import LoadedTorchModel, load_torch_model  # noqa: E402
from tests.unit.tiny_models import make_llama  # noqa: E402

QUESTION = (ChatMessage("user", "[702.19b] damage is left. What then?"),)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedTorchModel:
    folder = make_llama(tmp_path_factory.mktemp("models") / "llama")
    return load_torch_model(folder, "none", device_map="cpu", dtype=torch.float32)


@pytest.fixture
def decoder(loaded: LoadedTorchModel) -> TorchDecoder:
    return TorchDecoder(loaded, context_tokens=256, threads=1, prompt_cache_mb=16)


def items_of(decoder: TorchDecoder, request: DecodeRequest) -> tuple[str, list[DecodedStep], DecodeFinished]:
    items = list(decoder.generate(request, StopSignal()))
    end = items[-1]
    assert isinstance(end, DecodeFinished)
    text = "".join(item.text for item in items if isinstance(item, DecodedText))
    return text, [item for item in items if isinstance(item, DecodedStep)], end


def test_a_deadline_that_has_passed_ends_it_before_the_first_chunk(decoder: TorchDecoder) -> None:
    text, _, end = items_of(decoder, DecodeRequest(QUESTION, 20, deadline=time.monotonic() - 1))
    assert (text, end.stop_reason, end.generated_tokens) == ("", "budget", 0)


def test_at_the_memory_limit_kept_prompts_go_first_and_then_the_answer_ends_with_numbers(
    decoder: TorchDecoder,
) -> None:
    whole, _, _ = items_of(decoder, DecodeRequest(QUESTION, 60))
    items_of(decoder, DecodeRequest((ChatMessage("user", "damage " * 20),), 2))
    per_token = decoder.memory().bytes_per_token  # type: ignore[union-attr]
    limit = (decoder.count_tokens(QUESTION) + 12) * per_token
    text, steps, end = items_of(decoder, DecodeRequest(QUESTION, 60, cache_limit_bytes=limit))
    assert [step.name for step in steps] == ["cache", "length"]
    assert "12 tokens" in steps[-1].detail
    assert (end.stop_reason, end.generated_tokens) == ("budget", 12)
    assert text
    assert whole.startswith(text)


def stopping_in_layer(loaded: LoadedTorchModel, stop: StopSignal, number: int, min_kept: int) -> Any:
    """Ask for the end while the second layer computes, in the `number`th forward of those that find at least
    `min_kept` tokens computed."""
    seen = 0

    def count(layer: Any, inputs: Any, given: dict[str, Any]) -> None:
        nonlocal seen
        if given["past_key_values"].get_seq_length() >= min_kept:
            seen += 1
            if seen == number:
                stop.set()

    return loaded.model.model.layers[0].register_forward_pre_hook(count, with_kwargs=True)


@pytest.mark.parametrize(("number", "in_answer"), [(1, False), (3, False), (2, True)])
def test_a_stop_ends_a_forward_between_two_layers_and_what_was_computed_before_it_is_kept(
    loaded: LoadedTorchModel, number: int, in_answer: bool
) -> None:
    decoder = TorchDecoder(loaded, context_tokens=256, threads=1, prompt_cache_mb=16, prefill_chunk=8)
    length = decoder.count_tokens(QUESTION)
    expected, _, _ = items_of(decoder, DecodeRequest(QUESTION, 12))
    decoder.kv_cache_manager.clear()
    stop = StopSignal()
    hook = stopping_in_layer(loaded, stop, number, length if in_answer else 0)
    *pieces, end = decoder.generate(DecodeRequest(QUESTION, 12), stop)
    hook.remove()
    assert isinstance(end, DecodeFinished)
    assert end.stop_reason == "stopped"
    text = "".join(item.text for item in pieces if isinstance(item, DecodedText))
    assert expected.startswith(text)
    assert bool(text) == in_answer
    # Equal steps of at most eight.
    computed = (number - 1) * -(-length // -(-length // 8))
    kept = [len(entry.tokens) for entry in decoder.kv_cache_manager._entries.values()]
    assert kept == ([length + end.generated_tokens - 1] if in_answer else [computed] * (number > 1))
    if kept:
        check_kept(loaded, decoder)
    assert items_of(decoder, DecodeRequest(QUESTION, 12))[0] == expected


def test_a_deadline_ends_a_forward_between_two_layers(
    loaded: LoadedTorchModel, decoder: TorchDecoder
) -> None:
    deadline = time.monotonic() + 0.2

    def outlast(layer: Any, inputs: Any) -> None:
        while time.monotonic() <= deadline:
            time.sleep(0.01)

    hook = loaded.model.model.layers[0].register_forward_pre_hook(outlast)
    text, _, end = items_of(decoder, DecodeRequest(QUESTION, 20, deadline=deadline))
    hook.remove()
    assert (text, end.stop_reason) == ("", "budget")
    assert not decoder.kv_cache_manager.statistics().num_entries


def test_guesses_that_were_not_drawn_are_never_kept(loaded: LoadedTorchModel, decoder: TorchDecoder) -> None:
    """Answers end with a stop string in place of a guess; what is kept is what whole forwards give."""
    for seed in range(8):
        request = DecodeRequest(QUESTION, 40, temperature=0.12, seed=seed)
        written, _, _ = items_of(decoder, request)
        rarest = min(written, key=written.count)
        decoder.kv_cache_manager.clear()
        items_of(decoder, replace(request, stop=(rarest,)))
        check_kept(loaded, decoder)


def check_kept(loaded: LoadedTorchModel, decoder: TorchDecoder) -> None:
    entries = list(decoder.kv_cache_manager._entries.values())
    assert entries
    for entry in entries:
        with torch.inference_mode():
            whole = loaded.model(input_ids=torch.tensor([entry.tokens]), use_cache=True).past_key_values
        for (keys, values), layer in zip(entry.layers, whole.layers, strict=True):
            torch.testing.assert_close(keys, layer.keys, atol=1e-3, rtol=0)
            torch.testing.assert_close(values, layer.values, atol=1e-3, rtol=0)


CHILD = """
import gc, json, resource, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from hexcore_engine.errors import HexcoreError
from hexcore_engine.inference.decoders.base import *
from hexcore_engine.inference.decoders.torch_decoder import TorchDecoder
from hexcore_engine.models.loader import load_torch_model
loaded = load_torch_model(Path(sys.argv[1]), "none", device_map="cpu", dtype=torch.float32)
decoder = TorchDecoder(loaded, context_tokens=2048, threads=1, prompt_cache_mb=256)
question = (ChatMessage("user", "What is left of its damage? " * 90),)

def write(request):
    text, steps, error = "", [], None
    try:
        for item in decoder.generate(request, StopSignal()):
            if isinstance(item, DecodedText): text += item.text
            if isinstance(item, DecodedStep): steps.append(item.name + ": " + item.detail)
    except HexcoreError as caught:
        error = [caught.code, caught.message]
    return {"text": text, "steps": steps, "error": error}

def limit(extra_bytes):
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + extra_bytes, resource.RLIM_INFINITY))

request = DecodeRequest(question, 40)
results = [write(request)]
decoder.kv_cache_manager.clear()
for number in range(3):
    write(DecodeRequest((ChatMessage("user", f"{number} " + "a b c d e f " * 100),), 1))
gc.collect()
limit(int(sys.argv[2]))
results.append(write(request))
decoder.kv_cache_manager.clear()
gc.collect()
limit(2**20)
results.append(write(request))
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
results.append(write(request))
print(json.dumps(results))
"""

# What the C library has freed and kept lies below a limit on a process's addresses: an answer that finds its
# memory there never reaches the limit. From 64 KiB on, what is freed goes back to the kernel at once.
GIVEN_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


@pytest.mark.skipif(sys.platform != "linux", reason="limits a process's memory as Linux does")
def test_memory_that_runs_out_in_mid_answer_is_freed_and_the_answer_goes_on(tmp_path: Path) -> None:
    folder = make_llama(tmp_path / "m", context_tokens=2048, num_layers=4, head_dim=256)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), str(4 * 2**20)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=os.environ | GIVEN_BACK,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    plain, limited, starved, after = json.loads(done.stdout.splitlines()[-1])
    assert len(plain["text"]) > 3
    assert (plain["steps"], plain["error"]) == ([], None)
    assert limited["text"] == plain["text"]
    assert limited["steps"][0].startswith("cache: memory ran out after 0 tokens: gave up")
    assert len(limited["steps"]) == 1
    assert limited["error"] is None
    assert plain["text"].startswith(starved["text"])
    code, message = starved["error"]
    assert code == "HX-MEMORY"
    assert "MiB of weights" in message
    assert after == plain
