"""What the machine can do, as far as it can be told without torch."""

from __future__ import annotations

import os
import platform

import pytest

from hexcore_engine.utils.device import cpu_has_fast_bf16, default_threads, is_out_of_memory


def test_one_core_is_left_to_the_screen_unless_somebody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert [default_threads(), default_threads(3)] == [7, 3]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert default_threads() == 1
    # macOS knows no affinity.
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert default_threads() == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert default_threads() == 1


@pytest.mark.parametrize(
    ("system", "machine", "flags", "fast"),
    [
        ("Linux", "x86_64", "sse2 avx2 avx512_bf16", True),
        ("Linux", "x86_64", "sse2 amx_bf16", True),
        ("Linux", "x86_64", "sse2 avx2 avx512f", False),
        ("Linux", "aarch64", "fp asimd bf16", True),
        ("Darwin", "arm64", "", True),
        ("Darwin", "x86_64", "", False),
    ],
)
def test_processors_that_multiply_bf16_in_hardware_are_known(
    system: str, machine: str, flags: str, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert cpu_has_fast_bf16(flags) == fast


def test_this_processor_is_looked_at_where_no_flags_are_given() -> None:
    assert cpu_has_fast_bf16() in (True, False)


class OutOfMemoryError(RuntimeError):
    """Named as torch names its own."""


@pytest.mark.parametrize(
    ("error", "ran_out"),
    [
        (MemoryError(), True),
        (OutOfMemoryError("CUDA"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"), True),
        (RuntimeError("[enforce fail] not enough memory"), True),
        (RuntimeError("shapes do not fit"), False),
        (ValueError("not enough memory"), False),
    ],
)
def test_memory_that_ran_out_is_told_from_other_failures(error: Exception, ran_out: bool) -> None:
    assert is_out_of_memory(error) == ran_out
