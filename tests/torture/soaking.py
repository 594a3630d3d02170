"""A client that asks one question after another and weighs itself, its engine and the engine's children:
`python -m tests.torture.soaking COUNT WARM_UP MAX_TOKENS` in a HEXCORE_HOME writes what it saw as JSON."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.prompts import digest_questions
from hexcore_engine.client.client import EngineClient
from hexcore_engine.paths import default_paths
from hexcore_engine.protocol import events, requests
from hexcore_engine.settings import load_settings

TURNS_A_CONVERSATION = 5
# Fills any context once: what is touched later was touched before.
LONG_QUESTION = "Does the lantern glow while the moth is away? " * 600
NUM_SAMPLES = 20
ANSWER_TIMEOUT_S = 120


@dataclass(frozen=True)
class Weight:
    """A process and what it holds. `own_bytes` are private and dirty; `children` of it are no Hexcore ones
    beside the model's runner."""

    own_bytes: int
    threads: int
    descriptors: int
    sockets: int
    children: int


@dataclass(frozen=True)
class Sample:
    """Client, engine and the engine's children after so many questions."""

    asked: int
    client: Weight
    engine: Weight
    runner_bytes: int


def weigh(process: psutil.Process) -> Weight:
    """Weigh a process now."""
    return Weight(
        own_bytes=own_bytes(process),
        threads=process.num_threads(),
        descriptors=process.num_fds(),
        sockets=len(process.net_connections("all")),
        children=len(process.children(recursive=True)),
    )


def own_bytes(process: psutil.Process) -> int:
    """Private dirty bytes, from the kernel's own sum where there is one."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return int(process.memory_full_info().uss)
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_Dirty:"))


async def soak(count: int, warm_up: int, max_tokens: int) -> dict[str, Any]:
    """Ask, weigh, and return answers and weights."""
    paths = default_paths()
    client = await EngineClient.connect(paths, load_settings(paths.settings_file))
    engine, own = psutil.Process(client.welcome.pid), psutil.Process()
    answers: list[tuple[str, str, str, str]] = []
    samples: list[Sample] = []
    every = max(1, (count - warm_up) // NUM_SAMPLES)
    session_id: str | None = None
    questions = itertools.chain([LONG_QUESTION], itertools.cycle(digest_questions()))
    for number, question in enumerate(itertools.islice(questions, count)):
        if number % TURNS_A_CONVERSATION == 1:
            session_id = None
        request = requests.AskQuestion(question, session_id=session_id, max_tokens=max_tokens)
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            outcome = [event async for event in client.stream(request)][-1]
        assert isinstance(outcome, events.AnswerOutcome), outcome
        session_id = outcome.session_id
        answers.append((session_id, question, outcome.response, outcome.stop_reason))
        asked = number + 1
        if asked >= warm_up and (asked - warm_up) % every == 0:
            gc.collect()
            runners = sum(own_bytes(child) for child in engine.children(recursive=True))
            samples.append(Sample(asked, weigh(own), weigh(engine), runners))
    listed = await client.call(requests.ListSessions(10_000))
    stored = []
    assert isinstance(listed, events.SessionsListed)
    for entry in listed.sessions:
        opened = await client.call(requests.OpenSession(entry.session_id))
        assert isinstance(opened, events.SessionOpened)
        stored += [
            (entry.session_id, turn.question, turn.response, turn.stop_reason or "") for turn in opened.turns
        ]
    await client.close()
    return {"answers": answers, "stored": stored, "samples": [asdict(sample) for sample in samples]}


if __name__ == "__main__":
    seen = asyncio.run(soak(*map(int, sys.argv[1:4])))
    sys.stdout.write(json.dumps(seen))
