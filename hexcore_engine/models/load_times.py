"""How far the loading of a model is: by what was read where that can be counted, else by the clock.

Loading goes through stages. Each one's time is kept from the last load of the same model, so that the next
load knows how much of the whole each stage is.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

# The models loaded last; older ones are forgotten.
MOST_MODELS = 40
# A stage that takes so many times as long as it did tells nothing any more about the rest.
LATE = 1.5
# What is not counted never shows as finished before it is.
MOST_UNCOUNTED_SHARE = 0.98


class LoadProgress(NamedTuple):
    """How far a load is: `elapsed_s` seconds since it began, `share` 0 to 1 of the whole, None where nothing
    is known about the rest."""

    stage: str
    elapsed_s: float
    share: float | None


class LoadTimes:
    """The file of stages' seconds by model. What can't be read or written is done without."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def of(self, model: str) -> dict[str, float]:
        """Return the seconds of each stage of a model's last load, in order; empty for a first one."""
        stages = self._read().get(model, {})
        try:
            return {str(name): max(0.0, float(seconds)) for name, seconds in stages.items()}
        except (AttributeError, TypeError, ValueError):
            return {}

    def remember(self, model: str, stages: Mapping[str, float]) -> None:
        """Keep the seconds of each stage of a load."""
        known = self._read()
        known.pop(model, None)
        known[model] = {name: round(seconds, 3) for name, seconds in stages.items()}
        newest = dict(list(known.items())[-MOST_MODELS:])
        aside = self._file.with_suffix(".new")
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(json.dumps(newest), "utf-8")
            aside.replace(self._file)

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return known if isinstance(known, dict) else {}


class LoadWatch:
    """One load while it goes on; told by the loading thread, read by any."""

    def __init__(self, known: Mapping[str, float], clock: Callable[[], float] = time.monotonic) -> None:
        """`known` are the seconds of the last load's stages."""
        self._known = dict(known)
        self._clock = clock
        self._lock = threading.Lock()
        self._began = self._stage_began = clock()
        self._stage = ""
        self._counted: float | None = None
        self._best = 0.0
        self.stages: dict[str, float] = {}

    def begin(self, stage: str) -> None:
        """The stage before is done; this one begins."""
        with self._lock:
            self._close_stage()
            self._stage, self._counted = stage, None

    def reached(self, share: float) -> None:
        """So much of the stage is done, counted: 0 to 1."""
        with self._lock:
            self._counted = min(1.0, max(0.0, share))

    def finish(self) -> dict[str, float]:
        """Return the seconds of each stage."""
        with self._lock:
            self._close_stage()
            self._stage = ""
            return dict(self.stages)

    def progress(self) -> LoadProgress:
        """Return how far it is; a share never falls."""
        with self._lock:
            now = self._clock()
            share = self._share(now)
            if share is not None:
                share = self._best = max(share, self._best)
            return LoadProgress(self._stage, now - self._began, share)

    def _share(self, now: float) -> float | None:
        total = sum(self._known.values())
        expected = self._known.get(self._stage)
        if not total or expected is None:
            return None
        inner = self._counted
        if inner is None:
            spent = now - self._stage_began
            if spent > LATE * expected and spent - expected > 1:
                return None
            inner = min(MOST_UNCOUNTED_SHARE, spent / expected) if expected else MOST_UNCOUNTED_SHARE
        done = sum(seconds for name, seconds in self._known.items() if name in self.stages)
        return min(1.0, (done + inner * expected) / total)

    def _close_stage(self) -> None:
        now = self._clock()
        if self._stage:
            self.stages[self._stage] = now - self._stage_began
        self._stage_began = now
