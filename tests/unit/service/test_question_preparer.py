from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from hexcore_engine.service.vector_keeper import VectorKeeper
from hexcore_engine.service.worker import QuestionPreparer
from hexcore_engine.settings import Settings
from tests.conftest import paths_of


async def test_warm_means_that_who_asked_meanwhile_has_an_answer(
    tmp_path: Path, make_home: Callable[[Path], Path]
) -> None:
    paths = paths_of(make_home(tmp_path / "home"))
    settings = Settings()
    keeper = VectorKeeper(paths, settings.data)
    preparer = QuestionPreparer(paths, settings, keeper)
    warming = asyncio.ensure_future(preparer.warm_up())
    await asyncio.sleep(0)
    asked = asyncio.ensure_future(preparer.prepare("What does trample do?"))
    await warming
    # Loading the model begins here, and must not keep the question waiting.
    assert preparer.take("What does trample do?") is not None
    assert await asked > 0
    preparer.close()
    keeper.close()
