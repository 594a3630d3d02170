"""Loads one model with torch, answers once, and prints what was predicted and what the process came to hold.

`python torch_memory.py FOLDER KIND`: one JSON line of bytes. The runtime is loaded before the first look.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

from hexcore_engine.inference.decoders.base import ChatMessage, DecodeRequest, StopSignal
from hexcore_engine.inference.decoders.generation import PREFILL_CHUNK
from hexcore_engine.inference.decoders.torch_decoder import TorchDecoder
from hexcore_engine.models.loader import load_torch_model

CONTEXT_TOKENS = 2048
PROMPT_WORDS = 1400


def held_bytes(folder: Path) -> int:
    """Private bytes of this process, and those of the weights' files that it maps."""
    total = 0
    mapped = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, *rest = line.split(maxsplit=1)
        if "-" in name and not name.endswith(":"):
            mapped = str(folder) in line
        elif name == "Private_Dirty:" or (mapped and name in ("Private_Clean:", "Shared_Clean:")):
            total += int(rest[0].split()[0]) * 1024
    return total


def main() -> int:
    """Load the runtime with a small model, then the one asked for."""
    runtime, folder, kind = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    answer(runtime, kind)
    gc.collect()
    before = held_bytes(folder)
    predicted, kept = answer(folder, kind, before)
    print(json.dumps({"predicted": predicted, "measured": kept}))
    return 0


def answer(folder: Path, kind: str, before: int = 0) -> tuple[int, int]:
    """Load, warm and answer; returns the predicted bytes and those held at the end."""
    loaded = load_torch_model(folder, kind, device_map="cpu")
    decoder = TorchDecoder(loaded, context_tokens=CONTEXT_TOKENS, threads=1, prompt_cache_mb=512)
    decoder.warm((ChatMessage("user", "Hello"),))
    prompt = long_prompt(decoder)
    tokens = decoder.count_tokens(prompt) + 8
    for _ in decoder.generate(DecodeRequest(prompt, 8), StopSignal()):
        pass
    itemsize = loaded.model.dtype.itemsize
    predicted = (
        loaded.plan.weights_bytes
        + loaded.folder.kv_bytes_per_token(itemsize) * tokens
        + loaded.folder.step_bytes(PREFILL_CHUNK, itemsize, CONTEXT_TOKENS)
        + loaded.folder.table_bytes
    )
    return predicted, held_bytes(folder) - before


def long_prompt(decoder: TorchDecoder) -> tuple[ChatMessage, ...]:
    """A prompt as long as the model's context lets it be, at most `PROMPT_WORDS` words."""
    num_words = PROMPT_WORDS
    while True:
        prompt = (ChatMessage("user", "word " * num_words),)
        if decoder.count_tokens(prompt) < decoder.context_tokens - 16:
            return prompt
        num_words = num_words * 2 // 3


if __name__ == "__main__":
    sys.exit(main())
