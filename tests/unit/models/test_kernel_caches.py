"""What torch keeps of compiled kernels in a process that meets one length of text after another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import paths_of

pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="private bytes are read from /proc, as Linux has it"),
]

from tests.unit.tiny_models import make_llama  # noqa: E402

NAMES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
# After so many lengths the caches are full; so many more would add twenty times what is allowed.
WARM_UP, COUNT = 30, 150
MOST_GROWTH_MB = 8

WEIGHING = """
import gc, json, sys
from pathlib import Path
import torch
from hexcore_engine.utils.memory import give_back_freed
torch.set_num_threads(1)

def held_mb():
    gc.collect()
    give_back_freed()
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Private_Dirty:"))

def grown_mb(run, warm_up, count):
    for length in range(17, 17 + warm_up):
        run(length)
    before = held_mb()
    for length in range(17 + warm_up, 17 + count):
        run(length)
    return held_mb() - before
"""
MODEL = """
from hexcore_engine.models.loader import load_torch_model
model = load_torch_model(Path(sys.argv[1]), "none", device_map="cpu", dtype=torch.bfloat16).model

def run(length):
    with torch.inference_mode():
        model(input_ids=torch.ones(1, length, dtype=torch.long), use_cache=True)
"""
EMBEDDER = """
from hexcore_engine.models.embedder import SentenceEmbedder
embedder = SentenceEmbedder(Path(sys.argv[1]), rounded=True)

def run(length):
    embedder.embed(["word " * length])
"""
PRINTING = "print(json.dumps(grown_mb(run, int(sys.argv[2]), int(sys.argv[3]))))"


def grown_mb(child: str, folder: Path, **variables: str) -> float:
    environment = {name: value for name, value in os.environ.items() if name not in NAMES} | variables
    done = subprocess.run(
        [sys.executable, "-c", WEIGHING + child + PRINTING, str(folder), str(WARM_UP), str(COUNT)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return float(json.loads(done.stdout.splitlines()[-1]))


def test_a_model_keeps_few_kernels_however_many_lengths_it_meets(tmp_path: Path) -> None:
    folder = make_llama(tmp_path / "llama", head_dim=64)
    assert grown_mb(MODEL, folder) < MOST_GROWTH_MB


def test_the_sentence_model_keeps_few_kernels_however_many_lengths_it_meets(sentence_model: Path) -> None:
    assert grown_mb(EMBEDDER, paths_of(sentence_model).sentence_model_dir) < MOST_GROWTH_MB


def test_a_number_of_kernels_that_the_user_has_set_stands(tmp_path: Path) -> None:
    from hexcore_engine.utils.device import cpu_has_fast_bf16

    if not cpu_has_fast_bf16():
        pytest.skip("kernels are compiled for bfloat16 where the processor has it")
    folder = make_llama(tmp_path / "llama", head_dim=64)
    assert grown_mb(MODEL, folder, **dict.fromkeys(NAMES, "2000")) > 4 * MOST_GROWTH_MB
