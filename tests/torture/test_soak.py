"""Hundreds of questions in a row: no byte, thread, descriptor, socket or child more, and no answer lost."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import living_below, paths_of
from tests.integration.parts import Run, wait_until
from tests.torture.tally import Tally, scaled

pytestmark = pytest.mark.torture

MOST_GROWTH = 0.02
# Of so many samples at either end the middle one is taken.
ENDS = 5
TIMEOUT_S = 900
# Cards and rules are opened once more when an answer first cites a number from outside its evidence.
LATE = {("engine", "descriptors"): 2}
COUNTED = ("threads", "descriptors", "sockets", "children")


def run_soak(count: int, warm_up: int, max_tokens: int) -> dict[str, Any]:
    """Soak this test's home from a process of its own."""
    words = [str(number) for number in (count, warm_up, max_tokens)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture.soaking", *words],
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def check_answers(seen: dict[str, Any], count: int, reasons: set[str], tally: Tally) -> None:
    """Every answer came whole and is stored once, as it came."""
    answers, stored = [Counter(map(tuple, seen[name])) for name in ("answers", "stored")]
    tally.tried("questions", count)
    tally.expect(answers.total() == count, f"{answers.total()} answers to {count} questions")
    for (_, question, response, reason), number in answers.items():
        tally.expect(response and reason in reasons, f"{question!r} ended by {reason!r} after {response!r}")
        tally.expect(number == 1, f"{question!r} was answered {number} times")
    for missing in (answers - stored).elements():
        tally.lost(f"not stored: {missing[1]!r}")
    for extra in (stored - answers).elements():
        tally.lost(f"stored, never told: {extra[1]!r}")


def check_weights(seen: dict[str, Any], tally: Tally) -> None:
    """Nothing holds more at the end than after the warm-up."""
    samples = seen["samples"]
    series = {
        "client": [sample["client"]["own_bytes"] for sample in samples],
        "engine": [sample["engine"]["own_bytes"] for sample in samples],
        "model's runner": [sample["runner_bytes"] for sample in samples],
    }
    for name, values in series.items():
        ends = min(ENDS, max(1, len(values) // 2))
        before, after = statistics.median(values[:ends]), statistics.median(values[-ends:])
        if not before:
            continue
        growth = after / before - 1
        tally.note(
            f"{name}: {before / 2**20:.1f} MiB after warm-up, {after / 2**20:.1f} at the end, {growth:+.1%}"
        )
        tally.expect(growth <= MOST_GROWTH, f"{name} grew by {growth:.1%}: {values}")
    for side in ("client", "engine"):
        for what in COUNTED:
            values = [sample[side][what] for sample in samples]
            # One that is just being closed is no leak.
            most = max(values[:ENDS]) + LATE.get((side, what), 0)
            tally.expect(min(values[-ENDS:]) <= most, f"{side}: more {what}: {values}")
    last = samples[-1]["engine"]
    tally.note("engine at the end: " + ", ".join(f"{last[what]} {what}" for what in COUNTED))


def check_left_nothing(home: Path, hexcore: Run, tally: Tally) -> None:
    """The engine leaves and takes everything with it."""
    tally.expect(hexcore("engine", "stop").returncode == 0, "the engine did not stop")
    wait_until(lambda: not living_below(str(home)))
    tally.expect(not paths_of(home).socket_file.exists(), "a socket is left")


@pytest.fixture
def full_home(tmp_path: Path, make_home: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with all cards and the embedded model, this test's HEXCORE_HOME."""
    home = make_home(tmp_path)
    monkeypatch.setenv("HEXCORE_HOME", str(home))
    monkeypatch.setenv("HEXCORE_OFFLINE", "1")
    monkeypatch.setenv("HEXCORE_DATA_VECTORS", "off")
    return home


def test_nine_hundred_scripted_answers_leave_nothing_behind(
    full_home: Path, hexcore: Run, monkeypatch: pytest.MonkeyPatch, tally: Tally
) -> None:
    monkeypatch.setenv("HEXCORE_MODEL_PATH", "scripted")
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", "0")
    count = scaled(900)
    seen = run_soak(count, warm_up=count // 3, max_tokens=320)
    check_answers(seen, count, {"end"}, tally)
    check_weights(seen, tally)
    check_left_nothing(full_home, hexcore, tally)


def test_a_hundred_answers_of_the_embedded_model_leave_nothing_behind(
    full_home: Path, hexcore: Run, monkeypatch: pytest.MonkeyPatch, tally: Tally
) -> None:
    # Reading a prompt is what takes the time. Prompts kept for later would grow to their bound, on purpose.
    monkeypatch.setenv("HEXCORE_ENGINE_PROMPT_CACHE_MB", "0")
    monkeypatch.setenv("HEXCORE_ANSWER_RULES_IN_PROMPT", "2")
    monkeypatch.setenv("HEXCORE_MODEL_THREADS", "2")
    count = scaled(100)
    seen = run_soak(count, warm_up=count // 3, max_tokens=32)
    check_answers(seen, count, {"end", "length"}, tally)
    check_weights(seen, tally)
    check_left_nothing(full_home, hexcore, tally)
