"""One measurement in a process of its own, which may break or hang without ending the run.

`python -m benchmarks.apart JOB` is that process: it reads what to measure from the JSON file JOB and writes
what it saw beside it.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import psutil

from benchmarks.harness import Bench, NotMeasurable, load
from benchmarks.processes import end_processes
from benchmarks.results import Result
from hexcore_engine.paths import Paths

# Twice what the longest of those without a limit of their own takes on two busy cores.
DEFAULT_LIMIT_S = 1200.0
ENDING_S = 10.0
ROOT = Path(__file__).resolve().parent.parent


def measure_apart(
    name: str, *, quick: bool, prepared: Paths, wheels: Path, limit_s: float | None = None
) -> Result:
    """Run one measurement in a process and a folder of its own, and end everything it started; `limit_s` is
    its own `LIMIT_S` by default. See `Bench` for the two places."""
    measurement = load(name)
    limit_s = limit_s or float(getattr(measurement, "LIMIT_S", DEFAULT_LIMIT_S))
    with tempfile.TemporaryDirectory(prefix="hexcore-bench-") as folder:
        seen = _run(Path(folder), _job(name, quick, prepared, wheels), limit_s)
    return Result(name, measurement.TARGETS, **seen)


def measure_here(name: str, *, quick: bool, prepared: Paths, wheels: Path, work: Path) -> Result:
    """Run one measurement in this process, in the folder `work`; what breaks in it is raised."""
    measurement = load(name)
    bench = Bench(quick, prepared, work, wheels)
    try:
        figures = dict(measurement.measure(bench))
    except NotMeasurable as reason:
        return Result(name, measurement.TARGETS, skipped=str(reason))
    return Result(name, measurement.TARGETS, figures, left_out=bench.left_out)


def _job(name: str, quick: bool, prepared: Paths, wheels: Path) -> dict[str, Any]:
    places = {key: str(getattr(prepared, key)) for key in ("home", "config_dir", "log_dir")}
    return {"name": name, "quick": quick, "prepared": places, "wheels": str(wheels)}


def _run(folder: Path, job: dict[str, Any], limit_s: float) -> dict[str, Any]:
    """Start the process, wait, and return what becomes of `Result`'s fields."""
    file, seen = folder / "job.json", folder / "seen.json"
    (folder / "work").mkdir()
    file.write_text(json.dumps(job), "utf-8")
    # A session of its own, so that all it started can be found when it has to be ended.
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.apart", str(file)], cwd=ROOT, start_new_session=True
    )
    try:
        process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return {"failed": f"it was ended after {limit_s:.0f} s"}
    finally:
        end_all(process, folder)
    if seen.exists():
        document: dict[str, Any] = json.loads(seen.read_text("utf-8"))
        figures = document.get("figures", {})
        return document | {"figures": {key: math.nan if v is None else v for key, v in figures.items()}}
    return {"failed": f"its process ended with {process.returncode} and left no figures"}


def end_all(process: subprocess.Popen[bytes], folder: Path) -> None:
    """End a process, what is in its session, and engines that live below `folder`."""
    left = {found for found in psutil.process_iter() if _belongs_to(found, process.pid, folder)}
    with contextlib.suppress(psutil.Error):
        left.update(psutil.Process(process.pid).children(recursive=True))
    end_processes(left, ENDING_S)
    process.wait()


def _belongs_to(found: psutil.Process, leader: int, folder: Path) -> bool:
    try:
        if os.getsid(found.pid) == leader:
            return True
        return found.environ().get("HEXCORE_HOME", "").startswith(f"{folder}{os.sep}")
    except (psutil.Error, OSError):
        return False


def main() -> int:
    """Measure as the job file says, and write figures or reasons beside it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    file = Path(sys.argv[1])
    job = json.loads(file.read_text("utf-8"))
    prepared = Paths(**{key: Path(place) for key, place in job["prepared"].items()})
    started = time.monotonic()
    try:
        result = measure_here(
            job["name"],
            quick=job["quick"],
            prepared=prepared,
            wheels=Path(job["wheels"]),
            work=file.parent / "work",
        )
        seen: dict[str, Any] = {"skipped": result.skipped, "left_out": dict(result.left_out)}
        seen["figures"] = {
            key: value if math.isfinite(value) else None for key, value in result.figures.items()
        }
    except Exception as error:
        # Whatever broke is a row of the table; where, is for whoever looks into it.
        traceback.print_exc()
        told = " ".join(str(error).split())[:200]
        seen = {"failed": f"{type(error).__name__} after {time.monotonic() - started:.0f} s: {told}"}
    (file.parent / "seen.json").write_text(json.dumps(seen), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
