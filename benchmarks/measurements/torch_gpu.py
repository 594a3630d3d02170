"""The torch decoder on a CUDA device: speed against the card's memory, and the plan against what is held.

Random weights in the shape of a dense 8B model (1B in a quick run), as `scripts/gpu_bench.py` makes them.
"""

from __future__ import annotations

import importlib.util

from benchmarks.harness import Bench, NotMeasurable, Target
from benchmarks.torch_models import converted_folder

KINDS = ("none", "8bit", "4bit")
TARGETS = (
    Target("bandwidth of reading weights / of the card, none", 0.5, at_least=True),
    *(Target(f"planned and measured weights, larger / smaller, {kind}", 1.1) for kind in KINDS),
)


def measure(bench: Bench) -> dict[str, float]:
    """Measure each quantization on the first card."""
    if importlib.util.find_spec("torch") is None:
        raise NotMeasurable("the extra torch is not installed")
    import torch

    if not torch.cuda.is_available():
        raise NotMeasurable("there is no CUDA device here")
    folder = converted_folder(bench)
    from scripts import gpu_bench

    random = gpu_bench.make_random(bench.work, "1b" if bench.quick else "8b", folder)
    bandwidth = gpu_bench.copy_bandwidth()
    figures = {"bandwidth, GB/s": bandwidth / 1e9}
    for kind in KINDS:
        seen = gpu_bench.measure(random, kind, bandwidth)
        planned, measured = seen["planned_weights_mib"], seen["measured_weights_mib"]
        name = f"planned and measured weights, larger / smaller, {kind}"
        figures[name] = max(planned / measured, measured / planned)
        figures[f"bandwidth of reading weights / of the card, {kind}"] = seen["share_of_bandwidth"]
        figures |= {f"{key}, {kind}": seen[key] for key in ("tokens_per_s", "first_token_4k_ms")}
    return figures
