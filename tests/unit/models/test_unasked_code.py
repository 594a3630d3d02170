"""Libraries that would fetch compiled code of the hub when they are imported: they may not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the torch extra is not installed")
pytest.importorskip("bitsandbytes", reason="the torch extra is not installed")
pytestmark = pytest.mark.slow

from tests.unit.small_adapters import make_adapter  # noqa: E402
from tests.unit.tiny_models import make_llama  # noqa: E402

# Stands where the package that fetches kernels would be, and tells that it was asked.
KERNELS = """
from pathlib import Path

def get_kernel(*arguments, **options):
    Path(__file__).with_name("asked").touch()
    raise ImportError("nothing is fetched here")
"""
LOADING = """
import sys
from pathlib import Path
from hexcore_engine.models.loader import load_torch_model
from hexcore_engine.models.adapters import apply_expert_adapter
loaded = load_torch_model(Path(sys.argv[1]), sys.argv[2], device_map="cpu")
assert loaded.model
if sys.argv[3]:
    assert apply_expert_adapter(loaded.model, "TEACH", sys.argv[3]) == (True, None)
    assert "peft" in sys.modules
import bitsandbytes, kernels
assert kernels.get_kernel
"""


@pytest.mark.parametrize(("kind", "with_adapter"), [("4bit", False), ("8bit", False), ("none", True)])
def test_no_compiled_code_is_asked_for_and_nobody_is_told_to_install_it(
    kind: str, with_adapter: bool, tmp_path: Path
) -> None:
    package = tmp_path / "packages" / "kernels"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(KERNELS)
    folder = make_llama(tmp_path / "llama")
    adapter = str(make_adapter(tmp_path / "teacher", folder, "TEACH")) if with_adapter else ""
    path = os.pathsep.join((str(package.parent), *sys.path))
    done = subprocess.run(
        [sys.executable, "-c", LOADING, str(folder), kind, adapter],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=os.environ | {"PYTHONPATH": path, "HEXCORE_HOME": str(tmp_path / "home")},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert not (package / "asked").exists()
    assert "kernels" not in done.stderr
