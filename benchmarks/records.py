"""The last run of each measurement: when, on what machine, and its figures; kept from one run to the next."""

from __future__ import annotations

import datetime
import json
import math
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Recorded:
    """A run that was kept: its ISO date and time, the machine in words, its figures; None is not a number."""

    date: str
    machine: str
    figures: dict[str, float | None]

    def figure(self, name: str) -> float:
        """A figure of that run; NaN where it has none."""
        value = self.figures.get(name)
        return math.nan if value is None else value


def machine_words() -> str:
    """This machine, and how busy it is now: the load of a minute, full at the number of cores."""
    cores = os.cpu_count() or 1
    system = f"{platform.system()} {platform.machine()}"
    return f"{cores} cores, {system}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"


def read_records(file: Path) -> dict[str, Recorded]:
    """What was kept, by the measurements' names; nothing where the file is missing."""
    if not file.exists():
        return {}
    document: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return {name: Recorded(**entry) for name, entry in document.items()}


def keep(file: Path, measured: Iterable[tuple[str, Mapping[str, float]]]) -> None:
    """Write these measurements' figures with today's date and this machine; others stay as they are."""
    records = read_records(file)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes")
    machine = machine_words()
    for name, figures in measured:
        numbers = {key: _shortened(value) for key, value in figures.items()}
        records[name] = Recorded(now, machine, numbers)
    file.parent.mkdir(parents=True, exist_ok=True)
    document = {name: asdict(record) for name, record in sorted(records.items())}
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _shortened(value: float) -> float | None:
    """Four places behind the point, and as many digits of what is smaller than one."""
    if not math.isfinite(value):
        return None
    return round(value, 4) if abs(value) >= 1 else float(f"{value:.4g}")
