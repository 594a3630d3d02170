from __future__ import annotations

from pathlib import Path

import pytest

from hexcore_engine.cli.doctor import gpu_finding
from hexcore_engine.data.progress import QuietProgress
from hexcore_engine.data.setup import run_setup
from hexcore_engine.models.advice import TORCH_COMMAND, missing_torch_note
from hexcore_engine.service.telemetry import take_snapshot
from hexcore_engine.settings import Settings
from hexcore_engine.utils.memory import GpuMemory, ScriptedMemoryDriver
from tests.conftest import paths_of

GIB = 2**30
DRIVER = ScriptedMemoryDriver(devices=[GpuMemory(0, "Lantern X", 80 * GIB, GIB)])


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where no package is found, the extra torch among them."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


def test_a_device_without_torch_gets_the_one_command() -> None:
    note = missing_torch_note(DRIVER.devices, installed=False)
    assert TORCH_COMMAND in note
    assert "Lantern X" in note
    assert missing_torch_note(DRIVER.devices, installed=True) == ""
    assert missing_torch_note([], installed=False) == ""
    lost = GpuMemory(0, "Gone", GIB, 0, lost=True)
    assert missing_torch_note([lost], installed=False) == ""


@pytest.mark.usefixtures("without_torch")
def test_the_memory_pane_and_doctor_print_it() -> None:
    assert TORCH_COMMAND in take_snapshot(DRIVER, None, None).gpu_note
    assert TORCH_COMMAND in gpu_finding(DRIVER).remedy
    assert gpu_finding(DRIVER).ok


def test_set_up_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_torch: None) -> None:
    monkeypatch.setenv("HEXCORE_OFFLINE", "1")
    report = run_setup(
        paths_of(tmp_path / "home"), Settings(), skip_rules=True, progress=QuietProgress(), driver=DRIVER
    )
    (item,) = [item for item in report.items if item.name == "gpu"]
    assert item.ready
    assert TORCH_COMMAND in item.detail
