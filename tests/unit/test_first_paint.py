from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("httpx", "networkx", "numpy", "xllamacpp", "torch", "transformers")


@pytest.mark.parametrize("module", ["hexcore_tui.app", "hexcore_engine", "hexcore_engine.cli.main"])
def test_nothing_heavy_is_loaded_before_it_is_used(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_the_engine_loads_no_screen_library() -> None:
    code = "import sys, hexcore_engine.service.engine; print('textual' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"
