"""From the driver's answers and the loaded decoder to one frozen snapshot."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from hexcore_engine.inference.decoders.base import DecoderMemory
from hexcore_engine.models.advice import missing_torch_note
from hexcore_engine.protocol.records import (
    CacheStats,
    DeviceSnapshot,
    MemoryRow,
    ModelRecord,
    Snapshot,
    Usage,
)
from hexcore_engine.utils.memory import GpuMemory, MemoryDriver, SystemMemory

NO_GPU = "no GPU found: the model runs on the processor"


@dataclass(frozen=True)
class LoadedModel:
    """What telemetry needs to know of the model in memory."""

    record: ModelRecord
    memory: DecoderMemory | None
    cache: CacheStats | None


def take_snapshot(driver: MemoryDriver, loaded: LoadedModel | None, last_answer: Usage | None) -> Snapshot:
    """Measure now. Rows of a device never sum to more than the device holds."""
    memory = loaded.memory if loaded else None
    pids = (os.getpid(), *(memory.pids if memory else ()))
    gpus = driver.gpus()
    system = driver.system()
    devices = []
    if system is not None:
        resident = driver.resident_bytes(dict.fromkeys(pids)) or 0
        devices.append(_cpu_device(system, resident, memory))
    devices += [_gpu_device(gpu, pids) for gpu in gpus]
    return Snapshot(
        taken_at=time.time(),
        devices=tuple(devices),
        gpu_note=missing_torch_note(gpus) if gpus else NO_GPU,
        model=loaded.record if loaded else None,
        cache=loaded.cache if loaded else None,
        last_answer=last_answer,
    )


def _cpu_device(system: SystemMemory, resident: int, memory: DecoderMemory | None) -> DeviceSnapshot:
    used = max(0, system.total_bytes - system.available_bytes)
    resident = min(resident, used)
    left = resident
    rows = []
    parts = (memory.weights_bytes, memory.kv_cache_bytes, memory.workspace_bytes) if memory else (0, 0, 0)
    # Computed parts may not be resident yet; what the processes hold bounds them.
    for name, size in zip(("weights", "kv_cache", "workspace"), parts, strict=True):
        shown = min(size, left)
        left -= shown
        rows.append(MemoryRow(name, shown, memory.basis if memory else "measured"))  # type: ignore[arg-type]
    rows.append(MemoryRow("engine_rest", left, "measured"))
    rows.append(MemoryRow("others", used - resident, "measured"))
    rows.append(MemoryRow("free", system.total_bytes - used, "measured"))
    return DeviceSnapshot("cpu", 0, system.name, system.total_bytes, tuple(rows))


def _gpu_device(gpu: GpuMemory, pids: tuple[int, ...]) -> DeviceSnapshot:
    if gpu.lost:
        return DeviceSnapshot(
            "gpu",
            gpu.index,
            gpu.name,
            gpu.total_bytes,
            (),
            lost=True,
            note="lost: the driver no longer answers for it",
        )
    used = min(gpu.used_bytes, gpu.total_bytes)
    note = ""
    if gpu.process_bytes is None:
        ours = 0
        note = "the driver does not tell which process holds what"
    else:
        ours = min(used, sum(gpu.process_bytes.get(pid, 0) for pid in dict.fromkeys(pids)))
    rows = (
        MemoryRow("engine_rest", ours, "measured"),
        MemoryRow("others", used - ours, "measured"),
        MemoryRow("free", gpu.total_bytes - used, "measured"),
    )
    return DeviceSnapshot(
        "gpu", gpu.index, gpu.name, gpu.total_bytes, rows, gpu.utilization_percent, note=note
    )
