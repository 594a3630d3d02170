"""`hexcore-tui --demo`: the real app and a real engine in a temporary home of invented cards, with a scripted
model. No network, no official text, and nothing of the user's own is touched."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hexcore_engine.errors import EngineError
from hexcore_engine.paths import Paths, default_paths
from hexcore_engine.settings import Settings, load_settings
from hexcore_tui.display_profile import apply_profile, choose_profile

QUESTION = "If my Gravelmaw Titan gains deathtouch, how much damage must each blocker get?"
# Its first citation is marked as quoted, its second as taken from the evidence.
ANSWER = (
    "**One damage is enough.** With deathtouch, 1 point counts as enough per creature [702.2c]. The Titan "
    "may give everything else to the player it attacks [702.19b]."
)
BUILD_TIMEOUT_S = 60


def run_demo() -> int:
    """Open the demo; returns the exit code."""
    with demo_home() as (paths, settings):
        return _open_demo(paths, settings)


@contextlib.contextmanager
def demo_home() -> Iterator[tuple[Paths, Settings]]:
    """Build the demo's home, live in it until its end, and take it away with its engine."""
    environment = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="hexcore-demo-") as home:
        _enter_demo(Path(home))
        paths = default_paths()
        try:
            yield paths, load_settings(paths.settings_file)
        finally:
            asyncio.run(_stop_engine(paths))
            os.environ.clear()
            os.environ |= environment


def _enter_demo(home: Path) -> None:
    """From here on this process, and the engine it starts, live in the demo's home."""
    for name in [name for name in os.environ if name.startswith("HEXCORE_")]:
        del os.environ[name]
    os.environ |= {
        "HEXCORE_HOME": str(home),
        "HEXCORE_OFFLINE": "1",
        "HEXCORE_MODEL_PATH": "scripted",
        "HEXCORE_SCRIPTED_TEXT": ANSWER,
        "HEXCORE_ANSWER_PASSAGES": "6",
        "HEXCORE_DATA_VECTORS": "off",
    }
    command = [sys.executable, "-m", "hexcore_engine.data.demo"]
    try:
        subprocess.run(command, check=True, timeout=BUILD_TIMEOUT_S, capture_output=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineError("The demo's cards and rules could not be built.") from error


def _open_demo(paths: Paths, settings: Settings) -> int:
    profile = choose_profile(settings.screen.profile, os.environ)
    apply_profile(profile, os.environ)
    from hexcore_tui.app import run_app

    return run_app(paths, settings, profile, first_question=QUESTION)


async def _stop_engine(paths: Paths) -> None:
    from hexcore_engine.client.supervisor import stop_engine

    with contextlib.suppress(EngineError):
        await stop_engine(paths)
