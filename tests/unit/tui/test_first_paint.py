"""What the first frame may cost: looked at from outside, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import asyncio, sys
from hexcore_engine.paths import default_paths
from hexcore_engine.settings import Settings
from hexcore_tui.app import HexcoreApp

class Watched(HexcoreApp):
    def _look_around(self):
        print("\\n".join(sorted(sys.modules)), file=sys.__stdout__)
        self.exit()

async def main():
    app = Watched(default_paths(), Settings(), start_engine=False)
    async with app.run_test():
        while not app._exit:
            await asyncio.sleep(0.01)

asyncio.run(main())
"""

HEAVY = ("networkx", "numpy", "httpx", "xllamacpp", "torch", "sqlite3", "psutil", "pynvml", "tomlkit")
LATER = (
    "textual.widgets._markdown",
    "textual.widgets.markdown",
    "markdown_it",
    "hexcore_tui.screens.cards",
    "hexcore_tui.screens.rules",
    "hexcore_tui.screens.memory",
    "hexcore_tui.screens.sessions",
    "hexcore_tui.screens.settings",
    "hexcore_tui.screens.help",
    "hexcore_tui.widgets.chat.side_pane",
    "hexcore_tui.widgets.chat.turn_feed",
    "hexcore_tui.widgets.chat.markup",
    "hexcore_tui.rebinding",
    "hexcore_tui.palette",
    "hexcore_engine.knowledge.lookup",
    "hexcore_engine.client.client",
)


def _modules(home: Path, script: str) -> set[str]:
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=os.environ | {"HEXCORE_HOME": str(home), "HEXCORE_OFFLINE": "1"},
        timeout=60,
        check=True,
    )
    return set(result.stdout.split())


def test_nothing_heavy_is_loaded_when_the_first_frame_stands(tmp_path: Path) -> None:
    loaded = _modules(tmp_path, SCRIPT)
    assert "textual.app" in loaded
    assert loaded.isdisjoint(HEAVY + LATER)


def test_options_are_read_without_loading_textual(tmp_path: Path) -> None:
    for option in ("--about", "--version", "--help"):
        script = (
            "import sys\nfrom hexcore_tui.__main__ import main\n"
            f"try: main([{option!r}])\nexcept SystemExit: pass\nprint(' '.join(sys.modules))"
        )
        assert "textual" not in _modules(tmp_path, script)
