"""When Python looks for unreachable objects: not while the app starts, and never among what it started with.

A search of everything holds the event loop for 60 to 80 ms once the app stands (Python 3.11); what is left to
search takes a few.
"""

from __future__ import annotations

import gc

# Python's own numbers, but a search of everything after ten times as many smaller ones: it takes 8 to 12 ms,
# and while one types fast it came every few seconds.
THRESHOLDS = (700, 10, 100)


def postpone() -> None:
    """Search for nothing until `resume`."""
    gc.disable()


def resume() -> None:
    """Search again, but among what is made from now on; does nothing where it was not postponed."""
    if not gc.isenabled():
        set_aside()
        gc.set_threshold(*THRESHOLDS)
        gc.enable()


def set_aside() -> None:
    """Never search among what there is now: for what stays as long as the app."""
    gc.freeze()
