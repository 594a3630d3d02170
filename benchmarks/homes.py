"""Homes to measure in: copies of one that set-up prepared, and no engine left in any of them."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.harness import Bench, NotMeasurable
from benchmarks.processes import end_processes
from hexcore_engine.client.supervisor import stop_engine
from hexcore_engine.errors import HexcoreError
from hexcore_engine.knowledge.index.base import VectorIndex
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.paths import Paths
from hexcore_engine.settings import DataSettings

LEAVING_S = 5.0


def paths_below(home: Path) -> Paths:
    """Return the paths of a home that is one folder, as HEXCORE_HOME makes it."""
    return Paths(home=home, config_dir=home / "config", log_dir=home / "log")


def environment(paths: Paths, **variables: str) -> dict[str, str]:
    """Return this process's environment with `paths` as the home, no network and no other setting of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEXCORE_")}
    for name in ("SSH_CONNECTION", "NO_COLOR"):
        kept.pop(name, None)
    ours = {"TERM": "xterm-256color", "HEXCORE_HOME": str(paths.home), "HEXCORE_OFFLINE": "1"}
    return kept | ours | variables


@contextmanager
def empty_home(bench: Bench, name: str) -> Iterator[Paths]:
    """A home with nothing in it; its engine is ended afterwards."""
    paths = paths_below(bench.work / name)
    paths.home.mkdir(parents=True)
    try:
        yield paths
    finally:
        end_engine(paths)
        shutil.rmtree(paths.home, ignore_errors=True)


def end_engine(paths: Paths) -> None:
    """End the engine of `paths`, one that is only just starting too, and wait until it is gone."""
    asyncio.run(stop_engine(paths))
    left = [process for process in psutil.process_iter() if _lives_in(process, paths.home)]
    end_processes(left, LEAVING_S)


def _lives_in(process: psutil.Process, home: Path) -> bool:
    try:
        return process.environ().get("HEXCORE_HOME") == str(home)
    except psutil.Error:
        return False


@contextmanager
def warm_home(bench: Bench, name: str) -> Iterator[Paths]:
    """A home with cards, rules and the embedded model.

    Raises:
        NotMeasurable: when the prepared home lacks one of them.
    """
    prepared = bench.prepared
    require_set_up(prepared)
    with empty_home(bench, name) as paths:
        shutil.copytree(prepared.knowledge_dir, paths.knowledge_dir)
        paths.models_dir.mkdir()
        paths.embedded_model_file.symlink_to(prepared.embedded_model_file)
        yield paths


def require_set_up(paths: Paths) -> None:
    """Refuse a home that lacks cards or the embedded model.

    Raises:
        NotMeasurable: with the command that gets them.
    """
    knowledge = Knowledge(paths.knowledge_dir)
    try:
        num_cards = knowledge.status().num_cards
    except HexcoreError as error:
        raise NotMeasurable(f"{error.message} {error.remedy}") from error
    finally:
        knowledge.close()
    if not num_cards or not paths.embedded_model_file.is_file():
        raise NotMeasurable(f"{paths.home} has no cards or no embedded model; run `hexcore setup` first")


def require_vectors(paths: Paths) -> VectorIndex:
    """Return the vectors of a home's rules.

    Raises:
        NotMeasurable: with what gets them, where there are none or not all.
    """
    from hexcore_engine.data.vectors import open_vectors, why_absent

    absence = why_absent(paths, DataSettings())
    if absence is not None:
        raise NotMeasurable(absence.note)
    try:
        vectors = open_vectors(paths, DataSettings())
    except HexcoreError as error:
        raise NotMeasurable(f"{error.message} {error.remedy}") from error
    if vectors is None:
        raise NotMeasurable("the rules have no vectors yet: run `hexcore data vectors`")
    return vectors
