from __future__ import annotations

import logging
import os
import re
from typing import Any

import pytest

from hexcore_engine.inference.decoders.base import DecodeRequest, DecoderMemory, StopSignal
from hexcore_engine.inference.decoders.scripted import ScriptedDecoder
from hexcore_engine.utils.memory import MIB, WINDOW, MemoryTrend
from tests.unit.inference.parts import pipeline

QUESTION = "What does trample do?"


def trend_of(*held_mb: float) -> MemoryTrend:
    trend = MemoryTrend(len(held_mb))
    for held in held_mb:
        trend.add(round(held * MIB))
    return trend


def test_before_enough_answers_nothing_is_said_of_a_trend() -> None:
    trend = MemoryTrend(3)
    trend.add(1)
    trend.add(2)
    assert trend.bytes_per_answer is None
    trend.add(3)
    assert trend.bytes_per_answer == 1


def test_a_trend_is_what_each_answer_adds_and_neither_noise_nor_a_jump() -> None:
    noise = [3.0, -2.0, 0.5, 4.0, -3.0, 1.0, -1.0, 2.0]
    growing = trend_of(*(100 + 2 * answer + noise[answer % 8] for answer in range(40))).bytes_per_answer
    assert growing == pytest.approx(2 * MIB, rel=0.05)
    flat = trend_of(*(100 + noise[answer % 8] for answer in range(40))).bytes_per_answer
    assert flat == pytest.approx(0, abs=0.05 * MIB)
    jumped = trend_of(*[100.0] * 33, *[400.0] * 7).bytes_per_answer
    assert jumped == 0
    assert trend_of(*(100.0 - answer for answer in range(10))).bytes_per_answer == -MIB


def test_only_the_last_answers_are_looked_at() -> None:
    trend = MemoryTrend(5)
    for held in (0, 100, 200, 300, 300, 300, 300, 300):
        trend.add(held)
    assert trend.bytes_per_answer == 0


class Keeping(ScriptedDecoder):
    """Holds on to 4 MiB of each answer; `on_purpose` as prompts it tells of."""

    def __init__(self, on_purpose: bool) -> None:
        super().__init__(tokens_per_s=0)
        self.kept: list[bytes] = []
        self._on_purpose = on_purpose

    def generate(self, request: DecodeRequest, stop: StopSignal) -> Any:
        self.kept.append(b"\x01" * (4 * MIB))
        yield from super().generate(request, stop)

    def memory(self) -> DecoderMemory:
        kept = sum(map(len, self.kept)) if self._on_purpose else 0
        return DecoderMemory(0, kept, 0, "measured", (os.getpid(),), releasable_bytes=kept)


@pytest.mark.parametrize(("on_purpose", "warned"), [(False, True), (True, False)])
def test_memory_that_grows_with_each_answer_is_logged_with_numbers_once(
    on_purpose: bool, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    made = pipeline(Keeping(on_purpose))
    with caplog.at_level(logging.WARNING):
        for _ in range(WINDOW + 3):
            made.generate(QUESTION, max_new_tokens=2)
    said = [record.getMessage() for record in caplog.records if "memory grew" in record.getMessage()]
    assert len(said) == warned
    for message in said:
        found = re.search(r"grew by (\d+\.\d) MiB an answer over the last 40 answers; \d+ MiB", message)
        assert found is not None
        assert 3 < float(found[1]) < 5
        assert QUESTION not in message
