"""Text from outside on every screen: it never moves the cursor, and is never read as markup."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from textual.message import Message
from textual.pilot import Pilot

from hexcore_engine.data.demo import CARDS
from hexcore_engine.knowledge.cards.records import CardsSource
from hexcore_engine.knowledge.cards.schema import write_cards
from hexcore_engine.knowledge.rules.release import ensure_digest_release
from hexcore_engine.knowledge.store.builder import import_lock, publish_cards
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events
from hexcore_engine.protocol.records import (
    ErrorRecord,
    ModeChoice,
    ModelRecord,
    Passage,
    SessionHit,
    SessionRecord,
    TurnRecord,
)
from hexcore_engine.service.telemetry import take_snapshot
from hexcore_engine.settings import ModelSettings, ScreenSettings, Settings
from hexcore_engine.utils.memory import ScriptedMemoryDriver
from hexcore_tui import messages
from hexcore_tui.app import HexcoreApp
from hexcore_tui.messages import CardRequested, TextRequested
from hexcore_tui.screens.data import DataWork

from .conftest import CITATIONS, answered, screen_text, tell
from .test_memory_screen import GB, GPUS, LOADED, MACHINE, OURS, USAGE

LOUD = "[bold red]loud[/]"
HOSTILE = (
    "evil\x1b]0;pwned\x07\x1b[99;98H\x1b]8;;http://pwned.example\x1b\\link\x1b]52;c;cHduZWQ=\x07\x1b[6n"
    f"\x1bP+q544e\x1b\\\x9b97;96H\x9d0;pwned\x9c\u202eflip\u2066\u200b\r\n\b\x00 {LOUD}"
)
MODEL = ModelRecord(HOSTILE, HOSTILE, "llama_cpp", weights_bytes=1, small=True, note=HOSTILE)
ERROR = ErrorRecord("HX", HOSTILE, HOSTILE)
SESSION = SessionRecord(HOSTILE, HOSTILE, HOSTILE, "2026-01-01T09:30:00", 1)
PASSAGES = tuple(
    Passage(kind, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    for kind in ("rule", "card", "ruling", "glossary", "digest")
)
Visit = Callable[[HexcoreApp, Pilot[int]], Awaitable[None]]


async def chat(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """Question, evidence, plan, answer, citations, and a problem below."""
    app.chat._start_feed(HOSTILE)
    assert app.chat._feed is not None
    tell(
        app.chat._feed,
        events.QuestionAccepted("q1", "s1", 1),
        events.QuestionRouted("q1", ModeChoice("EXPLAIN", 0.8)),
        events.PassagesRetrieved("q1", PASSAGES, HOSTILE, 1.0),
        events.TextStreamed("q1", 0, HOSTILE),
        events.AnswerCompleted("q1", "s1", HOSTILE, CITATIONS, USAGE, "end", HOSTILE, HOSTILE),
    )
    await post(app, pilot, messages.RequestRefused(ERROR), messages.ModelsArrived(MODELS))


async def failed(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """An answer that failed, and an engine that went away."""
    app.chat._start_feed(HOSTILE)
    assert app.chat._feed is not None
    end = events.AnswerFailed("q1", "s1", HOSTILE, (), None, "engine_lost", None, HOSTILE, error=ERROR)
    tell(app.chat._feed, events.QuestionAccepted("q1", "s1", 1), end)
    await pilot.pause()
    app.post_message(messages.EngineDisconnected(ERROR))


async def stored(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """A conversation from disk."""
    turn = TurnRecord(
        1, HOSTILE, None, PASSAGES, HOSTILE, CITATIONS, USAGE, "end", HOSTILE, HOSTILE, "", ERROR, (HOSTILE,)
    )
    app.chat._show_session(events.SessionOpened(SESSION, (turn,)))


async def pane(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """A passage beside the chat, then a name that no card has."""
    answered(app)
    app.chat.show_beside(TextRequested(HOSTILE, HOSTILE, HOSTILE))
    await pilot.pause()
    app.chat.show_beside(CardRequested(HOSTILE))


async def history(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """Earlier questions as they are offered."""
    await post(app, pilot, messages.QuestionsArrived(events.QuestionsListed((HOSTILE,))))
    await pilot.press("ctrl+r")


async def cards(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """A card with evil in each of its texts."""
    await pilot.press("f3", *"evil")


async def rules(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """Words searched for from elsewhere."""
    app.search_for(HOSTILE, "rules")


async def sessions(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """Titles."""
    await pilot.press("f6")
    await pilot.pause()
    await post(app, pilot, messages.SessionsArrived(events.SessionsListed((SESSION,))))


async def found(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """Excerpts, with a mark in the midst of a sequence, and what is said after deleting."""
    await pilot.press("f6")
    await pilot.pause()
    hit = SessionHit(SESSION, HOSTILE, ((3, 8), (20, 24)))
    await post(app, pilot, messages.SessionHitsArrived(events.SessionsFound("", (hit,))))
    await pilot.press("ctrl+x")


async def memory(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """Names of machine, devices and models, and a plan."""
    await pilot.press("f5")
    driver = ScriptedMemoryDriver(
        replace(MACHINE, name=HOSTILE), {OURS: GB}, [replace(gpu, name=HOSTILE) for gpu in GPUS]
    )
    loaded = replace(LOADED, record=MODEL)
    snapshot = msgspec.structs.replace(take_snapshot(driver, loaded, USAGE), gpu_note=HOSTILE)
    await post(
        app,
        pilot,
        messages.MemoryArrived(events.MemorySampled(snapshot)),
        messages.ModelsArrived(MODELS),
        messages.ModelPlanArrived(events.ModelPlanned(HOSTILE, HOSTILE)),
        messages.ModelProgressed(events.ModelLoading(HOSTILE, HOSTILE)),
        messages.RequestRefused(ERROR),
    )


async def data(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """Set-up at work, then done."""
    app.action_run_setup()
    await pilot.pause()
    for told in (
        messages.DataWorkProgressed(events.DataProgressed(HOSTILE, 0.5)),
        messages.DataArrived(events.DataChanged(HOSTILE)),
        messages.RequestRefused(ERROR),
    ):
        app.chat.query_one(DataWork).post_message(told)
        await pilot.pause()


async def settings(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """Values of the settings file, and what is wrong with it."""
    app.read_settings = lambda: None  # type: ignore[method-assign]
    await pilot.press("f10")


MODELS = events.ModelsListed((MODEL,), HOSTILE, HOSTILE, HOSTILE)


@pytest.fixture(scope="module")
def hostile_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our words for the rules, and one card with evil in each of its texts."""
    folder = tmp_path_factory.mktemp("hostile") / "knowledge"
    ensure_digest_release(folder)
    face = msgspec.structs.replace(CARDS[0].faces[0], name=HOSTILE, type_line=HOSTILE, oracle_text=HOSTILE)
    card = msgspec.structs.replace(CARDS[0], name=HOSTILE, faces=(face,), source=HOSTILE)
    with import_lock(folder):
        publish_cards(folder, lambda file: write_cards(file, (card,), CardsSource(HOSTILE, None, 1)))
    return folder


@pytest.mark.parametrize(
    "visit",
    [chat, failed, stored, pane, history, cards, rules, sessions, found, memory, data, settings],
)
async def test_text_from_outside_is_only_text(visit: Visit, paths: Paths, hostile_world: Path) -> None:
    shutil.copytree(hostile_world, paths.knowledge_dir)
    written = Settings(model=ModelSettings(path=HOSTILE), screen=ScreenSettings(theme=HOSTILE))
    app = HexcoreApp(paths, written, start_engine=False)
    async with app.run_test(size=(160, 60)) as pilot:
        await pilot.pause()
        await visit(app, pilot)
        for _ in range(3):
            await app.workers.wait_for_complete()
            await pilot.pause()
        text = screen_text(app)
        assert {unicodedata.name(letter, hex(ord(letter))) for letter in text if is_control(letter)} == set()
        assert LOUD in text or LOUD.split("]")[0] in text


async def post(app: HexcoreApp, pilot: Pilot[int], *told: Message) -> None:
    """Tell the screen one thing after the other."""
    for message in told:
        app.screen.post_message(message)
        await pilot.pause()


def is_control(letter: str) -> bool:
    """Whether a terminal would act on it, or nobody would see it."""
    return letter != "\n" and unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")
