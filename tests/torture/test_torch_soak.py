"""Two hundred short answers of the torch decoder, to different questions: no byte and no thread more at their
end."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = [
    pytest.mark.torture,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="private bytes are read from /proc, as Linux has it"),
]

COUNT = 200
WARM_UP = 60
MAX_TOKENS = 24
MOST_GROWTH = 0.02
# Of so many samples at either end the middle one is taken: twice each turn of a conversation.
ENDS = 8
TIMEOUT_S = 1800


def test_two_hundred_answers_of_torch_leave_no_byte_and_no_thread_behind(
    prepared_home: Path, tmp_path: Path
) -> None:
    from hexcore_engine.models.gguf_import import import_gguf

    folder = import_gguf(next((prepared_home / "models").glob("*.gguf")), tmp_path / "models")
    count = max(WARM_UP + 4 * ENDS, round(COUNT * float(os.environ.get("HEXCORE_TORTURE_SCALE", "1"))))
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture.torch_soaking", str(folder), str(count), str(WARM_UP)],
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    seen = json.loads(done.stdout)
    assert len(seen["ends"]) == count
    assert {reason for reason, _, _ in seen["ends"]} <= {"end", "length", "stopped"}
    assert all(text and 0 < num_tokens <= MAX_TOKENS for _, num_tokens, text in seen["ends"])
    held, threads, python_threads = zip(*seen["samples"], strict=True)
    before, after = statistics.median(held[:ENDS]), statistics.median(held[-ENDS:])
    figures = (
        f"{before / 2**20:.1f} MiB after warm-up, {after / 2**20:.1f} at the end, {after / before - 1:+.2%}"
    )
    sys.stderr.write(f"{figures}; {threads[-1]} threads; {seen['reused_share']:.0%} of prompts reused\n")
    assert after <= before * (1 + MOST_GROWTH), [round(size / 2**20, 1) for size in held]
    assert threads[-1] <= threads[0]
    assert set(python_threads) == {1}
