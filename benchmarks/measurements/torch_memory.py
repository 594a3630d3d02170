"""What is planned before a model is loaded, against what the process holds after an answer.

Weights, cache and workspace together; each in a process of its own that has loaded the runtime before. A
figure is the difference in units of 10 % of the prediction or of 24 MiB, whichever is smaller.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks import programs
from benchmarks.harness import Bench, NotMeasurable, Target
from benchmarks.torch_models import converted_folder
from tests.unit.tiny_models import make_llama, make_mixtral

PROGRAM = Path(programs.__file__).with_name("torch_memory.py")
KINDS = ("none", "8bit", "4bit")
TOLERATED_SHARE = 0.10
TOLERATED_BYTES = 24 * 2**20
MIB = 2**20
# The shape of a dense model of half a billion parameters; random weights.
DENSE = {"hidden": 896, "inner": 4864, "layers": 24, "heads": 14, "kv_heads": 2, "vocab": 151_936}

TARGETS = (
    *(Target(f"plan, SmolLM2 {kind}", 1.0) for kind in KINDS),
    *(Target(f"plan, dense 0.5B {kind}", 1.0) for kind in KINDS),
    *(Target(f"plan, tiny Mixtral {kind}", 1.0) for kind in KINDS),
)


def measure(bench: Bench) -> dict[str, float]:
    """Plan, load and answer with each."""
    if not Path("/proc/self/smaps").exists():
        raise NotMeasurable("private bytes are read from /proc, which only Linux has")
    smollm = converted_folder(bench)
    runtime = make_llama(bench.work / "runtime")
    mixtral = make_mixtral(bench.work / "mixtral")
    models = [("SmolLM2", smollm, kind) for kind in KINDS[: bench.rounds(3, quick=1)]]
    models += [("tiny Mixtral", mixtral, kind) for kind in KINDS[: bench.rounds(3, quick=1)]]
    if not bench.quick:
        dense = make_dense(bench.work / "dense", smollm)
        models += [("dense 0.5B", dense, kind) for kind in KINDS]
    figures: dict[str, float] = {}
    for name, folder, kind in models:
        predicted, measured = _run(runtime, folder, kind)
        off = abs(measured - predicted)
        figures[f"plan, {name} {kind}"] = min(off / (TOLERATED_SHARE * predicted), off / TOLERATED_BYTES)
        figures[f"predicted, MiB, {name} {kind}"] = predicted / MIB
        figures[f"measured, MiB, {name} {kind}"] = measured / MIB
    bench.leave_out(
        [target for target in TARGETS if target.name not in figures], "a quick run loads the smallest alone"
    )
    return figures


def make_dense(folder: Path, tokenizer_from: Path) -> Path:
    """Make the dense model in bf16, with another model's tokenizer."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    folder.mkdir(parents=True)
    tokenizer = AutoTokenizer.from_pretrained(str(tokenizer_from))
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        # A tokenizer far smaller than its model would be another model's.
        vocab_size=min(DENSE["vocab"], 2 * len(tokenizer)),
        hidden_size=DENSE["hidden"],
        intermediate_size=DENSE["inner"],
        num_hidden_layers=DENSE["layers"],
        num_attention_heads=DENSE["heads"],
        num_key_value_heads=DENSE["kv_heads"],
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        dtype="bfloat16",
    )
    with torch.device("cpu"):
        model = LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(folder)
    return folder


def _run(runtime: Path, folder: Path, kind: str) -> tuple[int, int]:
    command = [sys.executable, str(PROGRAM), str(runtime), str(folder), kind]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout.splitlines()[-1])
    return int(seen["predicted"]), int(seen["measured"])
