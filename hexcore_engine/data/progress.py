"""How far a long step is, told to whoever watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Step(Protocol):
    """One running step."""

    def advance_to(self, amount: int) -> None:
        """Say how much is done, in the unit of the step's total."""
        ...


class ProgressReporter(Protocol):
    """Shows steps."""

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Step]:
        """Show a step of `total` bytes while the block runs."""
        ...

    def say(self, text: str) -> None:
        """Say a line."""
        ...


class QuietProgress:
    """Shows nothing."""

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Step]:
        """Run the block."""
        yield self

    def advance_to(self, amount: int) -> None:
        """Nothing to show."""

    def say(self, text: str) -> None:
        """Nothing to say."""


class BarProgress:
    """Shows a bar a step on stderr; plain lines where stderr is no terminal."""

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Step]:
        """Show a bar while the block runs."""
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        if not console.is_terminal:
            self.say(f"fetching {name} ({total / 1e6:.0f} MB)")
            yield QuietProgress()
            return
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as bars:
            task = bars.add_task(f"fetching {name}", total=total)

            class _Bar:
                def advance_to(self, amount: int) -> None:
                    bars.update(task, completed=amount)

            yield _Bar()
            bars.update(task, completed=total)

    def say(self, text: str) -> None:
        """Write a line to stderr."""
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
