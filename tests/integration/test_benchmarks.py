from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.apart import measure_here
from benchmarks.harness import measurement_names
from tests.conftest import paths_of

pytestmark = pytest.mark.slow


# Others of torch take minutes.
OF_TORCH = {"experts"}


@pytest.mark.parametrize("name", measurement_names())
def test_every_measurement_gives_a_figure_for_each_of_its_targets(
    name: str,
    prepared_home: Path,
    make_home: Callable[[Path], Path],
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEXCORE_OFFLINE", "1")
    wheels = Path(os.environ.get("HEXCORE_TEST_DOWNLOADS") or tmp_path / "wheels")
    work = tmp_path / "work"
    work.mkdir()
    prepared = paths_of(prepared_home)
    if name in OF_TORCH:
        prepared = paths_of(make_home(tmp_path))
        shutil.rmtree(prepared.models_dir)
        shutil.copytree(
            request.getfixturevalue("converted_models"), prepared.models_dir, copy_function=os.link
        )
    result = measure_here(name, quick=True, prepared=prepared, wheels=wheels, work=work)
    if result.skipped:
        pytest.skip(result.skipped)
    assert {target.name for target in result.targets} <= set(result.figures) | set(result.left_out)
