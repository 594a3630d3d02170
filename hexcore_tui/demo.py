"""`hexcore-tui --demo`: the real app and a real engine in a temporary home of invented cards, with a scripted
model. No network, no official text, and nothing of the user's own is touched."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from hexcore_engine.errors import EngineError, StorageError
from hexcore_engine.paths import Paths, default_paths
from hexcore_engine.settings import Settings, load_settings
from hexcore_tui.display_profile import apply_profile, choose_profile

QUESTION = "If my Gravelmaw Titan gains deathtouch, how much damage must each blocker get?"
# Its first citation is marked as quoted, its second as taken from the evidence.
ANSWER = (
    "**One damage is enough.** With deathtouch, 1 point counts as enough per creature [702.2c]. The Titan "
    "may give everything else to the player it attacks [702.19b]."
)
# The rule that the picture shows beside the chat.
OPENED_RULE = "702.19b"
COLUMNS, ROWS = 118, 34
BUILD_TIMEOUT_S = 60
ANSWER_TIMEOUT_S = 30.0


def run_demo(screenshot: Path | None) -> int:
    """Open the demo, or write a picture of it to `screenshot`; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="hexcore-demo-") as home:
        _enter_demo(Path(home))
        paths = default_paths()
        settings = load_settings(paths.settings_file)
        try:
            return (
                _open_demo(paths, settings) if screenshot is None else _picture(paths, settings, screenshot)
            )
        finally:
            asyncio.run(_stop_engine(paths))


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


def _picture(paths: Paths, settings: Settings, file: Path) -> int:
    svg = asyncio.run(_draw(paths, settings))
    try:
        file.write_text(svg, "utf-8")
    except OSError as error:
        raise StorageError(f"{file} could not be written: {error.strerror}.") from error
    return 0


async def _draw(paths: Paths, settings: Settings) -> str:
    """Ask the demo's question and return the screen as SVG, the same in every run."""
    import msgspec

    from hexcore_engine.client.client import EngineClient
    from hexcore_engine.protocol.requests import PrepareQuestion
    from hexcore_tui.app import HexcoreApp
    from hexcore_tui.messages import RuleRequested
    from hexcore_tui.widgets.chat.prompt_input import PromptInput
    from hexcore_tui.widgets.chat.status_line import StatusLine
    from hexcore_tui.widgets.rules.rule_view import RuleView

    client = await EngineClient.connect(paths, settings, client_name="demo")
    await client.call(PrepareQuestion(question=QUESTION))
    await client.close()
    app = HexcoreApp(paths, settings)
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        app.chat.query_one(PromptInput).cursor_blink = False
        await _until(lambda: app.facts.model is not None and app.facts.num_cards is not None)
        app.chat.add_words(QUESTION)
        await pilot.press("enter")
        await _until(lambda: not app.chat.answering)
        app.chat.show_beside(RuleRequested(OPENED_RULE))
        await _until(lambda: any(view.number == OPENED_RULE for view in app.chat.query(RuleView)))
        status = app.chat.query_one(StatusLine)
        if status.usage:
            # The one figure that differs from run to run.
            status.usage = msgspec.structs.replace(status.usage, ttft_ms=None)
        await pilot.pause()
        # Browsers have a monospaced font of their own: the picture fetches none.
        return re.sub(r"@font-face\s*{[^}]*}\s*", "", app.export_screenshot(title="hexcore-tui --demo"))


async def _until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(ANSWER_TIMEOUT_S):
        # The app tells its screen, not us: there is nothing to await.
        while not done():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def _stop_engine(paths: Paths) -> None:
    from hexcore_engine.client.supervisor import stop_engine

    with contextlib.suppress(EngineError):
        await stop_engine(paths)
