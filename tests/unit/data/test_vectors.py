"""What is said about vectors where they are missing, turned off, or being built by someone else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hexcore_engine.data.vectors import LOCK_NAME, are_wanted, build, describe, open_vectors, require_vectors
from hexcore_engine.errors import DataError, ModelMissingError
from hexcore_engine.settings import DataSettings
from hexcore_engine.utils.locks import try_lock
from tests.conftest import paths_of


def test_where_they_are_missing_the_remedy_is_named_and_all_is_well(tmp_path: Path) -> None:
    paths = paths_of(tmp_path)
    state = describe(paths, DataSettings())
    assert not state.ready
    assert "which is fine" in state.detail
    assert "hexcore setup" in state.remedy
    assert open_vectors(paths, DataSettings()) is None
    with pytest.raises(ModelMissingError):
        require_vectors(paths, DataSettings())


def test_they_can_be_turned_off(tmp_path: Path) -> None:
    off = DataSettings(vectors="off")
    assert not are_wanted(off)
    assert "turned off" in describe(paths_of(tmp_path), off).detail


def test_of_two_builds_the_second_says_that_the_first_runs(tmp_path: Path) -> None:
    paths = paths_of(tmp_path)
    paths.knowledge_dir.mkdir(parents=True)
    lock = try_lock(paths.knowledge_dir / LOCK_NAME)
    assert lock is not None
    with pytest.raises(DataError, match="another process"):
        build(paths, lambda progress: None)
    os.close(lock)
