"""The app with probes: a heartbeat on its event loop, and the times of its paints and card lists.

`probed_app.py REPORT PERIOD_MS`; the report is written when the app ends. Times are seconds of the monotonic
clock, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from hexcore_engine.paths import default_paths
from hexcore_engine.settings import load_settings
from hexcore_tui import collector
from hexcore_tui.display_profile import apply_profile, choose_profile


class Probes:
    """What was seen; `beats` are a time, how late the heartbeat was then, and how long the loop's thread
    computed since the last one, both ms."""

    def __init__(self) -> None:
        self.beats: list[tuple[float, float, float]] = []
        self.paints: list[float] = []
        self.lists: list[tuple[float, str]] = []

    async def beat(self, period_s: float) -> None:
        """Sleep again and again; what it sleeps too long, the loop was held."""
        computed = time.thread_time()
        while True:
            due = time.monotonic() + period_s
            await asyncio.sleep(period_s)
            now = time.monotonic()
            computed, before = time.thread_time(), computed
            self.beats.append((now, (now - due) * 1000, (computed - before) * 1000))

    def write(self, file: Path) -> None:
        """Write the report."""
        file.write_text(json.dumps(vars(self)), "utf-8")


def main() -> int:
    """Run the app as `hexcore-tui` does, with probes."""
    collector.postpone()
    report, period_s = Path(sys.argv[1]), float(sys.argv[2]) / 1000
    paths = default_paths()
    settings = load_settings(paths.settings_file)
    profile = choose_profile(settings.screen.profile, os.environ)
    apply_profile(profile, os.environ)
    from hexcore_tui.app import HexcoreApp

    probes = Probes()
    watch_card_lists(probes)

    class ProbedApp(HexcoreApp):
        """Notes its paints."""

        def on_mount(self) -> None:
            """Start the heartbeat."""
            super().on_mount()
            self.heartbeat = asyncio.create_task(probes.beat(period_s))

        def _display(self, screen: Any, renderable: Any) -> None:
            super()._display(screen, renderable)
            if renderable is not None:
                probes.paints.append(time.monotonic())

    app = ProbedApp(paths, settings, profile)
    app.run()
    probes.write(report)
    return app.return_code or 0


def watch_card_lists(probes: Probes) -> None:
    """Note each time the list of cards was replaced, and the words it answers."""
    from hexcore_tui.widgets.cards.card_list import CardList
    from hexcore_tui.widgets.shared.query_input import QueryInput

    show_hits = CardList.show_hits

    def noted(self: CardList, hits: Any) -> None:
        show_hits(self, hits)
        probes.lists.append((time.monotonic(), self.screen.query_one(QueryInput).words))

    CardList.show_hits = noted  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.exit(main())
