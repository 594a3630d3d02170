"""Experts' adapters on torch: switching, what an activated one computes anew, two mixed against one.

The embedded model in 16 and in 4 bits with adapters of random weights (rank 8, all of attention). Ratios of
mixing are of tokens a second. One expert is run in the same batched path as two, and by switching the model
to it.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.harness import Bench, NotMeasurable, Target, alternate, median_ratio, percentile
from benchmarks.homes import require_set_up
from benchmarks.prompts import counter, digest_passages, passages_from
from benchmarks.random_adapters import write_random_adapter
from hexcore_engine.inference.decoders.base import DecodedText, DecodeRequest, Expert, StopSignal
from hexcore_engine.inference.prompt import messages_for, user_message

KINDS = {"bf16": "none", "NF4": "4bit"}
TARGETS = tuple(
    target
    for kind in KINDS
    for target in (
        Target(f"switch, p95 ({kind})", 20, "ms"),
        Target(f"prompt, activated / whole ({kind})", 0.30),
        Target(f"two mixed / one, batched ({kind})", 0.75, at_least=True),
        Target(f"two mixed / one, switched to ({kind})", 0.5, at_least=True),
    )
)
INVOCATION = "<|im_start|>assistant\n"
PROMPT_TOKENS = 450
STEP_PROMPT_TOKENS = 276


def measure(bench: Bench) -> dict[str, float]:
    """Measure both kinds of weights, one after the other."""
    missing = [name for name in ("torch", "peft", "bitsandbytes") if importlib.util.find_spec(name) is None]
    if missing:
        raise NotMeasurable(f"{' and '.join(missing)} is not installed; run `make setup EXTRAS=torch` first")
    require_set_up(bench.prepared)
    base = _converted(bench)
    figures: dict[str, float] = {}
    for kind in _kinds(bench):
        quantization = KINDS[kind]
        with _decoder(base, quantization, bench.work / f"adapters-{kind}") as decoder:
            found = switching(bench, decoder) | prompts(bench, decoder) | steps(bench, decoder)
        figures |= {f"{name} ({kind})": value for name, value in found.items()}
    return figures


def _kinds(bench: Bench) -> tuple[str, ...]:
    if not bench.quick:
        return tuple(KINDS)
    first, *others = KINDS
    left_out = (target for target in TARGETS if any(f"({kind})" in target.name for kind in others))
    bench.leave_out(left_out, f"a quick run loads weights in {first} alone")
    return (first,)


def switching(bench: Bench, decoder: Any) -> dict[str, float]:
    """Switch between loaded adapters and the base."""
    manager = decoder.expert_manager
    manager.load("REASON", "EXPLAIN", "TEACH", "PREDICT")
    times = []
    for number in range(bench.rounds(60, quick=8)):
        mode = ("REASON", "EXPLAIN", None, "TEACH")[number % 4]
        started = time.perf_counter()
        switched, reason = manager.use(mode)
        times.append((time.perf_counter() - started) * 1000)
        if not switched:
            raise AssertionError(reason)
    manager.use(None)
    return {"switch, p95": percentile(times, 95), "switch, median, ms": statistics.median(times)}


def prompts(bench: Bench, decoder: Any) -> dict[str, float]:
    """Time to the first token of a second expert on a prompt that another has just answered, against the same
    prompt with an empty cache."""
    passages = passages_from(digest_passages(), counter(decoder.count_tokens), PROMPT_TOKENS)
    messages = messages_for((), user_message("What happens?", ("REASON",), passages))

    def first_token_ms(mode: Any) -> float:
        request = DecodeRequest(messages, 2, experts=(Expert(mode),))
        started = time.perf_counter()
        written = decoder.generate(request, StopSignal())
        next(item for item in written if isinstance(item, DecodedText))
        elapsed = (time.perf_counter() - started) * 1000
        written.close()
        return elapsed

    def whole() -> float:
        decoder.kv_cache_manager.clear()
        return first_token_ms("PREDICT")

    def shared() -> float:
        decoder.kv_cache_manager.clear()
        first_token_ms("TEACH")
        return first_token_ms("PREDICT")

    whole_ms, shared_ms = alternate(bench.rounds(7, quick=1), whole, shared)
    return {
        "prompt, activated / whole": median_ratio(shared_ms, whole_ms),
        "prompt, activated, ms": statistics.median(shared_ms),
        "prompt, whole, ms": statistics.median(whole_ms),
    }


def steps(bench: Bench, decoder: Any) -> dict[str, float]:
    """Time a token after the same prompt: two mixed, one batched, one switched to, token by token in turn."""
    manager = decoder.expert_manager
    pair = manager.load("REASON", "EXPLAIN")

    def two(inputs: dict[str, Any]) -> Any:
        logits = manager.run(pair, (0, 0), **inputs).logits
        return decoder.cross_expert.mix(("REASON", "EXPLAIN"), (0.6, 0.4), logits)[-1]

    def one_batched(inputs: dict[str, Any]) -> Any:
        return manager.run_batched(pair[:1], (0,), **inputs).logits[0, -1]

    def one_switched(inputs: dict[str, Any]) -> Any:
        return manager.run(pair[:1], (0,), **inputs).logits[0, -1]

    model = decoder.torch_model
    runs = (_Writing(model, two, 2), _Writing(model, one_batched, 1), _Writing(model, one_switched, 1))
    times = alternate(bench.rounds(120, quick=4), *runs)
    return {
        "two mixed / one, batched": median_ratio(times[1], times[0]),
        "two mixed / one, switched to": median_ratio(times[2], times[0]),
        "two mixed, ms a token": statistics.median(times[0]),
        "one batched, ms a token": statistics.median(times[1]),
        "one switched to, ms a token": statistics.median(times[2]),
    }


class _Writing:
    """Has read a prompt; each call writes one more token and returns the milliseconds it took."""

    def __init__(self, model: Any, forward: Callable[[dict[str, Any]], Any], num_rows: int) -> None:
        from transformers import DynamicCache

        self._model = model
        self._forward = forward
        self._num_rows = num_rows
        self._cache = DynamicCache(config=model.config)
        self._tokens = [5 + place % 1000 for place in range(STEP_PROMPT_TOKENS)]
        self()

    def __call__(self) -> float:
        """Write a token greedily."""
        import torch

        started = time.perf_counter()
        with torch.inference_mode():
            ids = torch.tensor([self._tokens] * self._num_rows, device=self._model.device)
            logits = self._forward(
                {
                    "input_ids": ids,
                    "past_key_values": self._cache,
                    "use_cache": True,
                    "logits_to_keep": 1,
                }
            )
            self._tokens = [int(logits.argmax())]
        return (time.perf_counter() - started) * 1000


def _converted(bench: Bench) -> Path:
    """The embedded model as safetensors: the home's own conversion, else one made here."""
    from hexcore_engine.models.gguf_import import import_gguf, torch_folder_for

    file = bench.prepared.embedded_model_file
    kept = torch_folder_for(file, bench.prepared.models_dir)
    return kept if kept.is_dir() else import_gguf(file, bench.work / "models")


@contextmanager
def _decoder(base: Path, quantization: str, adapters: Path) -> Iterator[Any]:
    from transformers import AutoTokenizer

    from hexcore_engine.inference.decoders.torch_decoder import TorchDecoder
    from hexcore_engine.models.loader import load_torch_model
    from hexcore_engine.utils.device import default_threads

    tokenizer: Any = AutoTokenizer.from_pretrained(str(base), trust_remote_code=False)
    invocation = tuple(tokenizer.encode(INVOCATION, add_special_tokens=False))
    for number, mode in enumerate(("REASON", "EXPLAIN", "TEACH", "PREDICT")):
        invoked = invocation if mode in ("TEACH", "PREDICT") else ()
        write_random_adapter(adapters / mode.lower(), base, mode, seed=number, invocation=invoked)
    decoder = TorchDecoder(
        load_torch_model(base, quantization, device_map="cpu"),
        context_tokens=2048,
        threads=default_threads(0),
        prompt_cache_mb=256,
        adapters_dir=adapters,
    )
    try:
        yield decoder
    finally:
        decoder.close()
