"""The app without an engine, and the engine's events to drive it by."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events
from hexcore_engine.protocol.records import (
    AnswerPlan,
    Citation,
    CitationStatus,
    ModeChoice,
    ModelRecord,
    Passage,
    PlanStep,
    Usage,
)
from hexcore_engine.settings import Settings
from hexcore_tui.app import HexcoreApp
from hexcore_tui.bridge import message_of
from hexcore_tui.widgets.chat.turn_feed import TurnFeed

SMALL_MODEL = ModelRecord(
    "Pebble-1M", "pebble.gguf", "llama_cpp", weights_bytes=98_000_000, small=True, num_parameters=1_000_000
)
# How long a screen may take on a busy machine.
DEADLINE_S = 20.0
Outcome = events.AnswerCompleted | events.AnswerStopped
ANSWER = "Yes: the lantern decides it [702.19b].\n\n- Then [510.1c].\n- Not [999.9z], see [702.19b]."


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(home=tmp_path, config_dir=tmp_path / "config", log_dir=tmp_path / "log")


@pytest.fixture
def make_app(paths: Paths) -> Callable[[], HexcoreApp]:
    return lambda: HexcoreApp(paths, Settings(), start_engine=False)


def passage(kind: str, name: str, why: str = "it was named", official: bool = True) -> Passage:
    """A piece of evidence in our own words."""
    return Passage(kind, name, "Lantern", f"Text of {name}.", why, "Rules of the test", official)  # type: ignore[arg-type]


PASSAGES = (
    passage("card", "Gravel Titan", "named in the question"),
    passage("rule", "702.19b", "the keyword lantern"),
    passage("digest", "510.1c", "players say it so", official=False),
)


def citations_of(text: str, statuses: dict[str, CitationStatus]) -> tuple[Citation, ...]:
    """Every bracketed number of `text` with its status, in order."""
    found = []
    place = 0
    while (start := text.find("[", place)) >= 0:
        end = text.index("]", start) + 1
        rule = text[start + 1 : end - 1]
        found.append(Citation(rule, True, statuses.get(rule, "unknown"), start, end))
        place = end
    return tuple(found)


CITATIONS = citations_of(ANSWER, {"702.19b": "quoted", "510.1c": "retrieved"})


def beginning(passages: tuple[Passage, ...] = PASSAGES) -> list[events.Event]:
    """The events before the answer's text."""
    plan = AnswerPlan(400, 320, 4096, 2, (PlanStep("passages", "left out 1 of 3 passages"),))
    return [
        events.QuestionAccepted("q1", "s1", 1),
        events.QuestionRouted("q1", ModeChoice("EXPLAIN", 0.83)),
        events.PassagesRetrieved("q1", passages, "2026-01-16", 13.2),
        events.PlanMade("q1", plan, SMALL_MODEL),
    ]


def streamed(text: str = ANSWER, size: int = 10) -> list[events.Event]:
    """The answer's text in pieces."""
    starts = range(0, len(text), size)
    return [events.TextStreamed("q1", number, text[at : at + size]) for number, at in enumerate(starts)]


def ending(kind: type[Outcome] = events.AnswerCompleted, text: str = ANSWER) -> Outcome:
    """How the answer ends."""
    reason = "stopped" if kind is events.AnswerStopped else "end"
    usage = Usage(400, 300, 96, 310.0, 84.1)
    citations = CITATIONS if text == ANSWER else ()
    return kind("q1", "s1", text, citations, usage, reason, "2026-01-16", SMALL_MODEL.name)  # type: ignore[arg-type]


def tell(feed: TurnFeed, *told: events.Event) -> None:
    """Post the engine's events to what takes them for a turn, as the bridge does."""
    for event in told:
        message = message_of(event)
        assert message is not None
        feed.post_message(message)


def answered(app: HexcoreApp, question: str = "Who wins?") -> None:
    """Show an answer as if it had just been given."""
    app.chat._start_feed(question)
    assert app.chat._feed is not None
    tell(app.chat._feed, *beginning(), *streamed(), ending())


def screen_text(app: HexcoreApp) -> str:
    """What the screen shows, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def until(app: HexcoreApp, pilot: Pilot[int], *words: str) -> None:
    """Wait until the screen shows all of these."""
    deadline = time.monotonic() + DEADLINE_S
    while not all(word in screen_text(app) for word in words):
        assert time.monotonic() < deadline, screen_text(app)
        await pilot.pause(0.02)
    await pilot.pause()
