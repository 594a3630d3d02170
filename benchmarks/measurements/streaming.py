"""While an answer streams: how late a 16 ms timer is in the app, and how soon Esc stops the answer.

Once with the scripted decoder and once with the embedded model, each behind a real engine, the app on a real
terminal. Esc counts from the key until the screen no longer says that an answer is being written.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.harness import Bench, Target, percentile
from benchmarks.homes import warm_home
from benchmarks.probed import ProbedApp, Window, probed_app
from benchmarks.prompts import digest_questions
from hexcore_engine.knowledge.digest.loader import load_digest

TARGETS = (
    Target("scripted: timer late, p99", 20, "ms"),
    Target("scripted: Esc to stopped, slowest", 150, "ms"),
    Target("embedded: timer late, p99", 20, "ms"),
    Target("embedded: Esc to stopped, slowest", 150, "ms"),
)
TIMER_MS = 16
ESCAPE_KEY = "\x1b"
NEW_CONVERSATION_KEY = "\x0e"
STREAMING_S = 2.5
WRITING = "Answering"
LONG_ANSWER_TOKENS = "1500"


@dataclass(frozen=True)
class Figures:
    """What one decoder gave."""

    late: list[float]
    idle: list[float]
    stops: list[float]


def measure(bench: Bench) -> dict[str, float]:
    """Ask and stop, again and again, with both decoders."""
    scripted = stream(
        bench,
        "scripted",
        HEXCORE_MODEL_PATH="scripted",
        HEXCORE_SCRIPTED_RATE="80",
        HEXCORE_SCRIPTED_TEXT=long_answer(),
    )
    embedded = stream(bench, "embedded")
    figures: dict[str, float] = {}
    for name, seen in (("scripted", scripted), ("embedded", embedded)):
        figures |= {
            f"{name}: timer late, p99": percentile(seen.late, 99),
            f"{name}: timer late, median, ms": statistics.median(seen.late),
            f"{name}: timer late while idle, p99, ms": percentile(seen.idle, 99),
            f"{name}: Esc to stopped, slowest": percentile(seen.stops, 100),
            f"{name}: Esc to stopped, median, ms": percentile(seen.stops, 50),
            f"{name}: answers": len(seen.stops),
        }
    return figures


def long_answer() -> str:
    """Our own words about many rules, of which few are cited, as an answer does."""
    entries = list(itertools.islice(load_digest().values(), 80))
    groups = [entries[start : start + 4] for start in range(0, len(entries), 4)]
    return "\n\n".join(
        f"{' '.join(entry.plain for entry in group)} [{entries[number % 6].rule}]"
        for number, group in enumerate(groups)
    )


def stream(bench: Bench, name: str, **variables: str) -> Figures:
    """Let answers stream for a while and stop each."""
    with warm_home(bench, name) as paths:
        variables = {"HEXCORE_ANSWER_MAX_TOKENS": LONG_ANSWER_TOKENS} | variables
        with probed_app(paths, TIMER_MS, **variables) as app:
            app.watch(bench.settling_s)
            idle = app.watch(1.5)
            answers = list(ask_and_stop(app, bench.rounds(8, quick=1)))
    windows = [window for window, _ in answers]
    stops = [stop_ms for _, stop_ms in answers if stop_ms is not None]
    return Figures(app.lateness(windows), app.lateness([idle]), stops)


def ask_and_stop(app: ProbedApp, rounds: int) -> Iterator[tuple[Window, float | None]]:
    """Yield when an answer streamed, and the ms from Esc to its end; None where it had ended by itself."""
    questions = itertools.islice(digest_questions(), 0, None, 97)
    for question in itertools.islice(questions, rounds):
        app.terminal.send(f"Explain at length: {question}\r")
        app.terminal.wait_for(WRITING, timeout_s=60)
        window = app.watch(STREAMING_S)
        yield window, stop(app) if WRITING in app.terminal.text else None
        app.terminal.send(NEW_CONVERSATION_KEY)
        app.watch(0.3)


def stop(app: ProbedApp) -> float:
    """Press Esc and return the ms until the screen shows that the answer has ended."""
    pressed = time.monotonic()
    app.terminal.send(ESCAPE_KEY)
    app.terminal.wait_for(lambda text: "Esc stops" not in text and "Stopping" not in text)
    return (time.monotonic() - pressed) * 1000
