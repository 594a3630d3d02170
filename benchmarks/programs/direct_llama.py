"""A GGUF driven by xllamacpp itself, in this process and without HTTP: what our decoder is compared with.

Reads one JSON line a generation from stdin, the first with the model's settings; prints one JSON line each.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def main() -> None:
    """Load, then generate until stdin ends."""
    server = load(json.loads(sys.stdin.readline()))
    answer({"ready": True})
    for line in sys.stdin:
        answer(generate(server, json.loads(line)))


def load(settings: dict[str, Any]) -> Any:
    """Load the model with the settings that our own child process uses."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = settings["model"]
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_ctx = settings["context_tokens"]
    parameters.n_parallel = 1
    parameters.n_batch = settings["batch"]
    parameters.n_ubatch = settings["batch"]
    parameters.cache_ram_mib = settings["prompt_cache_mb"]
    parameters.cpuparams.n_threads = settings["threads"]
    parameters.cpuparams_batch.n_threads = settings["threads"]
    return xllamacpp.Server(parameters)


def generate(server: Any, body: dict[str, Any]) -> dict[str, Any]:
    """Stream one answer; return the times of its pieces in seconds and its number of tokens."""
    started = time.monotonic()
    times: list[float] = []
    tokens = 0

    def take(chunk: Any) -> bool:
        nonlocal tokens
        for part in chunk if isinstance(chunk, list) else [chunk]:
            choices = part.get("choices") or []
            if choices and (choices[0].get("delta") or {}).get("content"):
                times.append(time.monotonic() - started)
            tokens = (part.get("usage") or {}).get("completion_tokens", tokens)
        return False

    server.handle_chat_completions(body, take)
    return {"first_s": times[0], "last_s": times[-1], "tokens": tokens or len(times)}


def answer(document: dict[str, Any]) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
