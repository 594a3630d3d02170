"""Real engines for tests, each in a home of its own that no engine outlives."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from hexcore_engine.client.client import EngineClient
from hexcore_engine.client.fingerprint import package_fingerprint
from hexcore_engine.client.supervisor import stop_engine
from hexcore_engine.errors import EngineUnreachableError
from hexcore_engine.knowledge.rules.release import ensure_digest_release
from hexcore_engine.paths import Paths, default_paths
from hexcore_engine.settings import Settings
from tests.integration.parts import HEXCORE, SLOW_TEXT, Run

MakeHome = Callable[[Path], Path]


@pytest.fixture(scope="session")
def digest_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A knowledge folder with our digest alone, to be copied."""
    folder = tmp_path_factory.mktemp("digest") / "knowledge"
    ensure_digest_release(folder)
    return folder


@pytest.fixture
def home(tmp_path: Path, digest_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Paths]:
    """A home with our digest and no model, this test's HEXCORE_HOME; its engine is stopped at the end."""
    # The source may be edited while the tests run: a client of this process names what engines start from.
    package_fingerprint.cache_clear()
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEXCORE_OFFLINE", "1")
    paths = default_paths()
    shutil.copytree(digest_folder, paths.knowledge_dir)
    yield paths
    # A test that spoilt the engine's folder has no engine.
    with contextlib.suppress(EngineUnreachableError):
        asyncio.run(stop_engine(paths))


@pytest.fixture(scope="session")
def converted_models(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with the embedded model and its conversion for torch; only to be copied."""
    pytest.importorskip("torch", reason="the extra torch is not installed")
    from hexcore_engine.models.gguf_import import import_gguf

    models = tmp_path_factory.mktemp("converted") / "models"
    shutil.copytree(prepared_home / "models", models, copy_function=os.link)
    import_gguf(next(models.glob("*.gguf")), models)
    return models


@pytest.fixture
def scripted_home(home: Paths, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """The home, with the scripted model."""
    monkeypatch.setenv("HEXCORE_MODEL_PATH", "scripted")
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", "60")
    return home


@pytest.fixture
def model_home(home: Paths, prepared_home: Path) -> Paths:
    """The home, with the embedded model; unlink its file before changing it."""
    home.models_dir.mkdir()
    name = home.embedded_model_file.name
    home.embedded_model_file.hardlink_to(prepared_home / "models" / name)
    return home


@pytest.fixture
async def client(scripted_home: Paths) -> AsyncIterator[EngineClient]:
    """A client of a scripted engine."""
    connected = await EngineClient.connect(scripted_home, Settings(), client_name="test")
    yield connected
    await connected.close()


@pytest.fixture
async def slow_client(scripted_home: Paths, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EngineClient]:
    """A client of a scripted engine whose answers take seconds."""
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", SLOW_TEXT)
    connected = await EngineClient.connect(scripted_home, Settings(), client_name="test")
    yield connected
    await connected.close()


@pytest.fixture
def hexcore() -> Run:
    """Run the command line in a process of its own, with this test's environment."""

    def run(*words: str, timeout: float = 60, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # type: ignore[call-overload, no-any-return]
            [*HEXCORE, *words], capture_output=True, text=True, timeout=timeout, check=False, **options
        )

    return run
