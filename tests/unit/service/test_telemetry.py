from __future__ import annotations

import os

from hexcore_engine.inference.decoders.base import DecoderMemory
from hexcore_engine.protocol.records import DeviceSnapshot, ModelRecord
from hexcore_engine.service.telemetry import NO_GPU, LoadedModel, take_snapshot
from hexcore_engine.utils.memory import GpuMemory, ScriptedMemoryDriver, SystemMemory, SystemMemoryDriver

GIB = 1024**3
MODEL = ModelRecord(name="m", location="m.gguf", decoder="llama_cpp")


def loaded(weights: int = 2 * GIB) -> LoadedModel:
    return LoadedModel(MODEL, DecoderMemory(weights, GIB, 0, "computed", (4242,)), None)


def rows(device: DeviceSnapshot) -> dict[str, int]:
    return {row.name: row.size_bytes for row in device.rows}


def test_parts_of_the_engine_and_the_rest_add_up_to_the_machine() -> None:
    driver = ScriptedMemoryDriver(SystemMemory("CPU", 16 * GIB, 8 * GIB), {os.getpid(): GIB, 4242: 4 * GIB})
    snapshot = take_snapshot(driver, loaded(), None)
    (cpu,) = snapshot.devices
    found = rows(cpu)
    assert found["weights"] == 2 * GIB
    assert found["kv_cache"] == GIB
    assert found["engine_rest"] == 2 * GIB
    assert found["others"] == 3 * GIB
    assert sum(found.values()) == 16 * GIB
    assert snapshot.gpu_note == NO_GPU


def test_computed_parts_never_exceed_what_the_processes_hold() -> None:
    driver = ScriptedMemoryDriver(SystemMemory("CPU", 16 * GIB, 8 * GIB), {os.getpid(): GIB})
    (cpu,) = take_snapshot(driver, loaded(weights=7 * GIB), None).devices
    found = rows(cpu)
    assert found["weights"] == GIB
    assert found["kv_cache"] == found["engine_rest"] == 0
    assert sum(found.values()) == 16 * GIB


def test_two_gpus_a_foreign_process_and_a_lost_device() -> None:
    driver = ScriptedMemoryDriver(
        SystemMemory("CPU", 16 * GIB, 8 * GIB),
        {},
        [
            GpuMemory(0, "Big", 80 * GIB, 30 * GIB, {4242: 20 * GIB, 999: 10 * GIB}, 55.0),
            GpuMemory(1, "Gone", 24 * GIB, 0, lost=True),
        ],
    )
    _, big, gone = take_snapshot(driver, loaded(), None).devices
    assert rows(big) == {"engine_rest": 20 * GIB, "others": 10 * GIB, "free": 50 * GIB}
    assert gone.lost
    assert "lost" in gone.note
    assert gone.rows == ()


def test_this_machine_can_be_measured() -> None:
    driver = SystemMemoryDriver()
    snapshot = take_snapshot(driver, None, None)
    driver.close()
    cpu = snapshot.devices[0]
    assert sum(rows(cpu).values()) == cpu.total_bytes
    assert rows(cpu)["engine_rest"] > 0
