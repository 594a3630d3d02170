"""Measure the torch decoder on a GPU: `python scripts/gpu_bench.py [MODEL FOLDER] [--shape 8b]`.

Without a folder, random weights in the shape of an 8B dense model serve for speed: they are made on the disk
once, in a temporary folder, with the tokenizer of `--tokenizer FOLDER` (any model folder). Prints, for each
quantization: tokens a second, the share of the card's memory bandwidth that reading all weights once a token
takes, the plan against what NVML says this process holds, and the time to the first token of a prompt of
4,096 tokens.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hexcore_engine.errors import HexcoreError
from hexcore_engine.inference.decoders.base import ChatMessage, DecodedText, DecodeRequest, StopSignal
from hexcore_engine.inference.decoders.torch_decoder import TorchDecoder
from hexcore_engine.models.loader import load_torch_model
from hexcore_engine.utils.memory import SystemMemoryDriver

MIB = 2**20
CONTEXT_TOKENS = 8192
LONG_PROMPT_TOKENS = 4096
ANSWER_TOKENS = 128
SHAPES: dict[str, dict[str, int]] = {
    "8b": {
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128_256,
    },
    "1b": {
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128_256,
    },
}


def main() -> int:
    """Measure each quantization; 1 when there is no CUDA device."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, help="a model folder; random weights without one")
    parser.add_argument("--shape", choices=SHAPES, default="8b")
    parser.add_argument("--tokenizer", type=Path, help="a model folder whose tokenizer random weights get")
    parser.add_argument("--quantization", nargs="*", default=["none", "8bit", "4bit"])
    options = parser.parse_args()
    import torch

    if not torch.cuda.is_available():
        print("There is no CUDA device here; nothing was measured.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="hexcore-gpu-") as work:
        folder = options.folder or make_random(Path(work), options.shape, options.tokenizer)
        bandwidth = copy_bandwidth()
        card = {"card": torch.cuda.get_device_name(0), "bandwidth_gb_s": round(bandwidth / 1e9)}
        print(json.dumps(card), flush=True)
        for kind in options.quantization:
            try:
                print(json.dumps({"quantization": kind} | measure(folder, kind, bandwidth)), flush=True)
            except HexcoreError as error:
                print(json.dumps({"quantization": kind, "error": error.message}), flush=True)
    return 0


def measure(folder: Path, kind: str, bandwidth: float) -> dict[str, float]:
    """Load, warm, answer, and return the figures."""
    before = held_by_us()
    loaded = load_torch_model(folder, kind, device_map="cuda")
    decoder = TorchDecoder(
        loaded, context_tokens=CONTEXT_TOKENS, threads=1, prompt_cache_mb=1024, drafting=False
    )
    decoder.warm((ChatMessage("user", "Hello"),))
    planned = loaded.plan.weights_bytes
    rate, _ = run(decoder, 64)
    _, first_token_ms = run(decoder, LONG_PROMPT_TOKENS)
    held = held_by_us() - before
    decoder.close()
    return {
        "tokens_per_s": round(rate, 1),
        "share_of_bandwidth": round(rate * loaded.weights_bytes / bandwidth, 3),
        "first_token_4k_ms": round(first_token_ms, 1),
        "planned_weights_mib": round(planned / MIB),
        "measured_weights_mib": round(loaded.weights_bytes / MIB),
        "held_by_process_mib": round(held / MIB),
    }


def run(decoder: TorchDecoder, prompt_tokens: int) -> tuple[float, float]:
    """Return tokens a second after the first, and the time to the first in ms."""
    words = prompt_tokens
    while decoder.count_tokens(prompt_of(words)) > prompt_tokens and words > 8:
        words = words * 9 // 10
    started = time.perf_counter()
    at: list[float] = []
    tokens = 0
    for item in decoder.generate(DecodeRequest(prompt_of(words), ANSWER_TOKENS), StopSignal()):
        if isinstance(item, DecodedText):
            at.append(time.perf_counter())
            tokens += item.num_tokens
    if len(at) < 2:
        return 0.0, (time.perf_counter() - started) * 1000
    return (tokens - 1) / (at[-1] - at[0]), (at[0] - started) * 1000


def prompt_of(num_words: int) -> tuple[ChatMessage, ...]:
    """A prompt that differs from its first word on by its length, so that no kept one serves it."""
    return (ChatMessage("user", f"{num_words} " + "word " * num_words),)


def copy_bandwidth() -> float:
    """Return bytes a second that the card reads and writes when it copies its own memory."""
    import torch

    source: Any = torch.empty(2**28, dtype=torch.float32, device="cuda")
    target = torch.empty_like(source)
    for _ in range(3):
        target.copy_(source)
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(10):
        target.copy_(source)
    torch.cuda.synchronize()
    return float(10 * 2 * source.numel() * 4 / (time.perf_counter() - started))


def held_by_us() -> int:
    """Return the bytes NVML says this process holds; where it does not tell, all that is used."""
    driver = SystemMemoryDriver()
    try:
        gpu = next(iter(driver.gpus()))
        told = gpu.process_bytes.get(os.getpid()) if gpu.process_bytes is not None else None
        return told if told is not None else gpu.used_bytes
    finally:
        driver.close()


def make_random(work: Path, shape: str, tokenizer_from: Path | None) -> Path:
    """Make a folder of random weights in bf16."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    if tokenizer_from is None:
        raise SystemExit("Random weights need `--tokenizer FOLDER`, any model folder with a chat template.")
    tokenizer: Any = AutoTokenizer.from_pretrained(str(tokenizer_from))
    sizes = SHAPES[shape] | {"vocab_size": min(SHAPES[shape]["vocab_size"], 2 * len(tokenizer))}
    config = LlamaConfig(**sizes, max_position_embeddings=CONTEXT_TOKENS, eos_token_id=tokenizer.eos_token_id)
    config.dtype = torch.bfloat16
    with torch.device("cuda"):
        model: Any = LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(work / shape)
    tokenizer.save_pretrained(work / shape)
    del model
    torch.cuda.empty_cache()
    return work / shape


if __name__ == "__main__":
    sys.exit(main())
