"""The naive way to show an answer that streams: a text updated with every word. `per_token_app.py RATE`, the
text on HEXCORE_SCRIPTED_TEXT; says "All shown" at the end."""

from __future__ import annotations

import asyncio
import os
import re
import sys

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Footer, Static


class PerTokenApp(App[None]):
    """A text that grows in a scroll that follows its end."""

    BINDINGS = [("ctrl+q", "quit", "Quit")]  # noqa: RUF012 - Textual's way to declare keys

    def compose(self) -> ComposeResult:
        """Text above, keys below."""
        with VerticalScroll() as scroll:
            scroll.anchor()
            yield Static(markup=False)
        yield Footer()

    async def on_mount(self) -> None:
        """Write."""
        self.writing = asyncio.create_task(self.write(float(sys.argv[1])))

    async def write(self, words_per_s: float) -> None:
        """Show the text word by word."""
        shown = ""
        for piece in re.findall(r"\s*\S+\s*", os.environ["HEXCORE_SCRIPTED_TEXT"]):
            shown += piece
            self.query_one(Static).update(shown)
            await asyncio.sleep(1 / words_per_s)
        self.query_one(Static).update(f"{shown}\nAll shown")


if __name__ == "__main__":
    PerTokenApp().run()
