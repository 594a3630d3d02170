"""What the machine says of its memory, and whether it grows from answer to answer.

psutil is the door for processes, NVML the one for NVIDIA devices. Whatever can't be told is None, never an
exception. All sizes are bytes.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import logging
import os
import platform
import statistics
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

logger = logging.getLogger(__name__)

MIB = 2**20
# Answers looked at together; what grows only in the first of them is no leak.
WINDOW = 40
# Slower growth is lost in what allocators keep.
LEAST_GROWTH_BYTES = 1 * MIB
# Enough for the layers of a model times the lengths of a step; with half of it 8 bits became slower.
_MAX_KERNELS = 32
# Compiled kernels are kept twice: by oneDNN, and by what lies between it and torch 2.13 (ideep), each thread
# 1,024 of them. Either alone keeps what the other lets go.
_KERNEL_CACHES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")


@dataclass(frozen=True)
class SystemMemory:
    """Main memory of the machine; `available` is what a new process could get."""

    name: str
    total_bytes: int
    available_bytes: int


@dataclass(frozen=True)
class GpuMemory:
    """One device. `process_bytes` by process id is None where the driver does not tell."""

    index: int
    name: str
    total_bytes: int
    used_bytes: int
    process_bytes: Mapping[int, int] | None = None
    utilization_percent: float | None = None
    lost: bool = False


class MemoryDriver(Protocol):
    """What telemetry asks."""

    def system(self) -> SystemMemory | None:
        """Main memory now."""
        ...

    def resident_bytes(self, pids: Iterable[int]) -> int | None:
        """Resident bytes of some processes together; processes that ended count nothing."""
        ...

    def gpus(self) -> Sequence[GpuMemory]:
        """All devices, lost ones included; empty where there are none."""
        ...

    def close(self) -> None:
        """Let go of the driver."""
        ...


class SystemMemoryDriver:
    """The machine's own answers."""

    def __init__(self) -> None:
        import psutil

        self._psutil = psutil
        self._cpu_name = _cpu_name()
        self._nvml = _open_nvml()
        self._names: dict[int, tuple[str, int]] = {}

    def system(self) -> SystemMemory | None:
        """Main memory from the operating system."""
        memory = self._psutil.virtual_memory()
        return SystemMemory(self._cpu_name, int(memory.total), int(memory.available))

    def resident_bytes(self, pids: Iterable[int]) -> int | None:
        """Resident set sizes added up."""
        return resident_bytes(pids)

    def gpus(self) -> Sequence[GpuMemory]:
        """Devices as NVML knows them; one that was seen before and answers no more is reported lost."""
        if self._nvml is None:
            return ()
        try:
            count = int(self._nvml.nvmlDeviceGetCount())
        except self._nvml.NVMLError:
            count = 0
        indices = range(max(count, len(self._names)))
        return tuple(self._gpu(index) for index in indices)

    def close(self) -> None:
        """Shut NVML down."""
        if self._nvml is not None:
            with contextlib.suppress(self._nvml.NVMLError):
                self._nvml.nvmlShutdown()
            self._nvml = None

    def _gpu(self, index: int) -> GpuMemory:
        nvml = self._nvml
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            name = nvml.nvmlDeviceGetName(handle)
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        except nvml.NVMLError:
            known_name, known_total = self._names.get(index, (f"device {index}", 0))
            return GpuMemory(index, known_name, known_total, 0, lost=True)
        name = name.decode() if isinstance(name, bytes) else str(name)
        self._names[index] = (name, int(memory.total))
        return GpuMemory(
            index,
            name,
            int(memory.total),
            int(memory.used),
            self._process_bytes(handle),
            self._utilization(handle),
        )

    def _process_bytes(self, handle: Any) -> dict[int, int] | None:
        try:
            processes = self._nvml.nvmlDeviceGetComputeRunningProcesses(handle)
        except self._nvml.NVMLError:
            return None
        if any(process.usedGpuMemory is None for process in processes):
            return None
        return {int(process.pid): int(process.usedGpuMemory) for process in processes}

    def _utilization(self, handle: Any) -> float | None:
        try:
            return float(self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        except self._nvml.NVMLError:
            return None


@dataclass
class ScriptedMemoryDriver:
    """Answers that were written down: for the demo, and for tests of machines that are not at hand."""

    system_memory: SystemMemory | None = None
    process_sizes: dict[int, int] = field(default_factory=dict)
    devices: list[GpuMemory] = field(default_factory=list)

    def system(self) -> SystemMemory | None:
        """The scripted main memory."""
        return self.system_memory

    def resident_bytes(self, pids: Iterable[int]) -> int | None:
        """The scripted sizes added up."""
        return sum(self.process_sizes.get(pid, 0) for pid in pids)

    def gpus(self) -> Sequence[GpuMemory]:
        """The scripted devices."""
        return tuple(self.devices)

    def close(self) -> None:
        """Nothing to let go of."""


def resident_bytes(pids: Iterable[int]) -> int:
    """Resident set sizes of processes added up; those that ended count nothing."""
    import psutil

    total = 0
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            total += int(psutil.Process(pid).memory_info().rss)
    return total


def give_back_freed() -> None:
    """Return what the C library keeps of freed memory to the system: after weights were quantised that can be
    three times what is left of them. Does nothing where the C library is not glibc."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def bound_kernel_caches() -> None:
    """Let torch keep few compiled kernels of a processor.

    It keeps one for each shape it meets, 0.1 to 1 MB, and each length of a text is a shape of its own. To be
    called before torch computes anything in 16 bits; a number the user has set stands.
    """
    for name in _KERNEL_CACHES:
        os.environ.setdefault(name, str(_MAX_KERNELS))


def _open_nvml() -> Any:
    """Return the NVML module, started, or None where there is no NVIDIA driver."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # a missing library surfaces as several types, depending on the driver
        return None
    return pynvml


def _cpu_name() -> str:
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open(errors="replace") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine() or "CPU"


class MemoryTrend:
    """The bytes held after each of the last answers: growth told apart from noise and from single jumps."""

    def __init__(self, window: int = WINDOW) -> None:
        self._held: deque[int] = deque(maxlen=window)

    def add(self, held_bytes: int) -> None:
        """Note what is held after one more answer."""
        self._held.append(held_bytes)

    @property
    def bytes_per_answer(self) -> float | None:
        """The growth of an answer, None before the window is full.

        The middle one of the growths between all pairs of answers (Theil and Sen): a few jumps don't move it.
        """
        if len(self._held) < (self._held.maxlen or 0):
            return None
        pairs = itertools.combinations(enumerate(self._held), 2)
        return statistics.median((later - held) / (end - begin) for (begin, held), (end, later) in pairs)

    def watch(self, pids: Iterable[int], kept_bytes: int) -> None:
        """Weigh this process and others after an answer, less `kept_bytes` that are held on purpose; memory
        that grows is logged, once a window."""
        held = resident_bytes({os.getpid(), *pids})
        self.add(held - kept_bytes)
        growth = self.bytes_per_answer
        if growth is None or growth < LEAST_GROWTH_BYTES:
            return
        logger.warning(
            "memory grew by %.1f MiB an answer over the last %d answers; %.0f MiB are held now",
            growth / MIB,
            len(self._held),
            held / MIB,
        )
        self._held.clear()
