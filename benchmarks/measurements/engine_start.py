"""From the start of the engine's process until it answers a look-up."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from benchmarks.harness import Bench, Target
from benchmarks.homes import environment, warm_home
from hexcore_engine.client.client import EngineClient
from hexcore_engine.client.engine_process import ENGINE_COMMAND
from hexcore_engine.client.supervisor import stop_engine
from hexcore_engine.client.transports import Transport, connect_socket
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.requests import PrepareQuestion

TARGETS = (Target("start to first look-up answered, median", 400, "ms"),)
QUESTION = "Does a creature with deathtouch and trample need to give the blocker more than one damage?"
DEADLINE_S = 30.0
POLL_S = 0.002


@dataclass(frozen=True)
class Start:
    """Milliseconds from the start of the process."""

    greeted: float
    looked_up: float


def measure(bench: Bench) -> dict[str, float]:
    """Start engines one after the other."""
    with warm_home(bench, "home") as paths:
        start_once(paths)
        starts, bare = [], []
        for _ in range(bench.rounds(15)):
            starts.append(start_once(paths))
            bare.append(bare_python_ms())
    return {
        "start to first look-up answered, median": statistics.median(start.looked_up for start in starts),
        "start to greeting, median, ms": statistics.median(start.greeted for start in starts),
        "bare Python with asyncio, start to end, median, ms": statistics.median(bare),
        "slowest look-up, ms": max(start.looked_up for start in starts),
    }


def bare_python_ms() -> float:
    """Return what a start costs on this machine now, so that figures of a busy hour can be read."""
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "import asyncio"], check=True)
    return (time.monotonic() - started) * 1000


def start_once(paths: Paths) -> Start:
    """Start an engine in the foreground, greet it, look something up, and end it."""
    started = time.monotonic()
    process = subprocess.Popen(ENGINE_COMMAND, env=environment(paths), cwd="/", stderr=subprocess.DEVNULL)
    try:
        return asyncio.run(_look_up(paths, started))
    finally:
        asyncio.run(stop_engine(paths))
        process.wait(DEADLINE_S)


async def _look_up(paths: Paths, started: float) -> Start:
    client = await EngineClient.over(await _connected(paths))
    greeted = time.monotonic()
    await client.call(PrepareQuestion(QUESTION))
    looked_up = time.monotonic()
    await client.close()
    return Start((greeted - started) * 1000, (looked_up - started) * 1000)


async def _connected(paths: Paths) -> Transport:
    deadline = time.monotonic() + DEADLINE_S
    while (transport := await connect_socket(paths)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no engine listened within {DEADLINE_S:.0f} s")
        await asyncio.sleep(POLL_S)
    return transport
