"""What is to be said when a machine could do more than what is installed lets it."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from hexcore_engine.utils.memory import GpuMemory, SystemMemoryDriver

TORCH_COMMAND = "make setup EXTRAS=torch"


def missing_torch_note(gpus: Sequence[GpuMemory], installed: bool | None = None) -> str:
    """Return the one command that lets models run on the NVIDIA devices seen, "" where nothing is missing;
    `installed` None looks for torch."""
    seen = [gpu.name for gpu in gpus if not gpu.lost]
    if installed is None:
        installed = importlib.util.find_spec("torch") is not None
    if not seen or installed:
        return ""
    return f"`{TORCH_COMMAND}` installs what models need to run on {', '.join(dict.fromkeys(seen))}"


def missing_torch_here() -> str:
    """Return the note for this machine."""
    driver = SystemMemoryDriver()
    try:
        return missing_torch_note(driver.gpus())
    finally:
        driver.close()
