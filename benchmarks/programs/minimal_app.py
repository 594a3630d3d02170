"""The least a Textual app can show: a header, a field that has the focus, and a footer with one key."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Footer, Header, Input


class MinimalApp(App[None]):
    """What the framework itself costs."""

    TITLE = "Minimal"
    BINDINGS = [("ctrl+q", "quit", "Quit")]  # noqa: RUF012 - Textual's way to declare keys

    def compose(self) -> ComposeResult:
        """Header, field, footer."""
        yield Header()
        yield Input(placeholder="Question")
        yield Footer()


if __name__ == "__main__":
    MinimalApp().run()
