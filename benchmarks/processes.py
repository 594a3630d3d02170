"""Ending what a measurement started."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

import psutil


def end_processes(left: Iterable[psutil.Process], patience_s: float) -> None:
    """Ask processes to end, so that they end what they started themselves; after `patience_s` seconds end
    them by force, and wait until they are gone."""
    left = list(left)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(left, patience_s)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    # Killed is not yet gone.
    psutil.wait_procs(stubborn, patience_s)
