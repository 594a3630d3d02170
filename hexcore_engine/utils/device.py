"""What the processor and the GPUs of this machine can do."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DeviceCapabilities:
    """The device weights go to: "cuda:0" or "cpu".

    `fast_bf16` is false on processors without AVX512-BF16 or AMX, where bf16 prefill is eight times slower.
    """

    device: str
    fast_bf16: bool
    compute_capability: tuple[int, int] | None = None
    total_bytes: int | None = None


def default_threads(wanted: int = 0) -> int:
    """Return the CPU threads for a model: what was asked for, else one core is left to the screen."""
    if wanted > 0:
        return wanted
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
    return max(1, cores - 1)


def detect_device() -> DeviceCapabilities:
    """Look for CUDA first, then the processor. Needs torch."""
    import torch

    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        capability = (int(properties.major), int(properties.minor))
        return DeviceCapabilities("cuda:0", capability >= (8, 0), capability, int(properties.total_memory))
    return DeviceCapabilities("cpu", cpu_has_fast_bf16())


def cpu_flags() -> frozenset[str]:
    """Return the processor's features as Linux names them; empty where /proc/cpuinfo is absent."""
    with suppress(OSError), Path("/proc/cpuinfo").open(errors="replace") as lines:
        return frozenset(next((line for line in lines if line.startswith(("flags", "Features"))), "").split())
    return frozenset()


def cpu_has_fast_bf16(flags: str | None = None) -> bool:
    """Whether the processor multiplies bf16 in hardware; `flags` as in /proc/cpuinfo."""
    words = cpu_flags() if flags is None else frozenset(flags.split())
    if {"avx512_bf16", "amx_bf16", "bf16"} & words:
        return True
    return platform.system() == "Darwin" and platform.machine() == "arm64"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that a device's or the machine's memory ran out. torch has a type of its own
    on CUDA and a plain RuntimeError on a processor."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in text or "not enough memory" in text
    )
