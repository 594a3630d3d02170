"""Fetching and importing on behalf of a client, beside the answers: on threads the engine's end waits for no
more than it would for a killed import."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from hexcore_engine.data.progress import ProgressReporter
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.events import DataProgressed
from hexcore_engine.settings import Settings

TELL_EVERY_S = 0.2
Tell = Callable[[DataProgressed], None]
Work = Callable[[ProgressReporter], str]


def start_data_work(work: Work, tell: Tell) -> Future[str]:
    """Begin `work` on a thread of its own; `tell` is called there. What it returns or raises is in the
    future."""
    done: Future[str] = Future()

    def say_waiting(holder: str) -> None:
        tell(DataProgressed(f"Waiting for another import ({holder}) to finish"))

    def run() -> None:
        # Imported where it is used, as the work is: the engine's start waits for no importer.
        from hexcore_engine.knowledge.store.builder import tell_waiting

        tell_waiting.set(say_waiting)
        try:
            done.set_result(work(_Told(tell)))
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=run, name="data", daemon=True).start()
    return done


def setting_up(paths: Paths, settings: Settings) -> Work:
    """The work of `RunSetup`."""

    def work(progress: ProgressReporter) -> str:
        from hexcore_engine.data.setup import run_setup, setup_text

        return setup_text(run_setup(paths, settings, progress=progress))

    return work


def importing(paths: Paths, named: str) -> Work:
    """The work of `ImportData`; `named` may begin with `~`."""

    def work(progress: ProgressReporter) -> str:
        from hexcore_engine.data.imports import import_file

        return import_file(paths, Path(named).expanduser(), progress).text

    return work


def updating(paths: Paths, settings: Settings) -> Work:
    """The work of `UpdateData`; raises when neither source could be asked."""

    def work(progress: ProgressReporter) -> str:
        from hexcore_engine.data.imports import UPDATED, update_sources

        updates = [update_sources(paths, settings, progress, name) for name in UPDATED]
        errors = [update.error for update in updates if update.error is not None]
        if len(errors) == len(updates):
            raise errors[0]
        return "\n".join(update.text for update in updates)

    return work


class _Told:
    """A progress reporter whose steps become events, not more often than a screen needs them."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[_Step]:
        """Tell how much of the step is done while the block runs."""
        yield _Step(self._tell, f"fetching {name}", total)

    def say(self, text: str) -> None:
        """Tell a line."""
        self._tell(DataProgressed(text))


class _Step:
    def __init__(self, tell: Tell, name: str, total: int) -> None:
        self._tell = tell
        self._name = name
        self._total = max(1, total)
        self._told_at = 0.0

    def advance_to(self, amount: int) -> None:
        """Tell the share that is done."""
        now = time.monotonic()
        if now - self._told_at >= TELL_EVERY_S:
            self._told_at = now
            self._tell(DataProgressed(self._name, min(1.0, amount / self._total)))
