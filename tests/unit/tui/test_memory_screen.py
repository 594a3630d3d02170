"""The memory screen on machines that are not at hand, played by the scripted driver."""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec
from textual.pilot import Pilot

from hexcore_engine.inference.decoders.base import DecoderMemory
from hexcore_engine.models.advice import missing_torch_note
from hexcore_engine.protocol import events
from hexcore_engine.protocol.records import CacheStats, Usage
from hexcore_engine.service.telemetry import LoadedModel, take_snapshot
from hexcore_engine.utils.memory import GpuMemory, ScriptedMemoryDriver, SystemMemory
from hexcore_tui import messages
from hexcore_tui.app import HexcoreApp
from hexcore_tui.screens.memory import MemoryScreen
from hexcore_tui.widgets.memory.answer_facts import AnswerFacts
from hexcore_tui.widgets.memory.device_list import history_content

from .conftest import SMALL_MODEL, beginning, ending, screen_text, tell

MakeApp = Callable[[], HexcoreApp]
GB = 1_000_000_000
OURS, FOREIGN = os.getpid(), 1
MACHINE = SystemMemory("Mossback 9000", 32 * GB, 20 * GB)
GPUS = [
    GpuMemory(0, "Lantern X", 80 * GB, 30 * GB, {OURS: 10 * GB, FOREIGN: 20 * GB}, 42.0),
    GpuMemory(1, "Lantern Y", 80 * GB, 0, None, lost=True),
]
LOADED = LoadedModel(
    SMALL_MODEL,
    DecoderMemory(98_000_000, 50_000_000, 10_000_000, "computed", pids=()),
    CacheStats(400, 300),
)
USAGE = Usage(400, 300, 96, 310.0, 84.1)


async def _show(
    app: HexcoreApp, pilot: Pilot[int], driver: ScriptedMemoryDriver, loaded: LoadedModel | None
) -> str:
    """The screen after one measurement."""
    snapshot = take_snapshot(driver, loaded, USAGE if loaded else None)
    app.screen.post_message(messages.MemoryArrived(events.MemorySampled(snapshot)))
    await pilot.pause()
    return screen_text(app)


def _row(text: str, label: str) -> str:
    return next(line for line in text.splitlines() if label in line)


async def test_two_gpus_a_foreign_process_and_a_lost_device_are_told_apart(make_app: MakeApp) -> None:
    app = make_app()
    driver = ScriptedMemoryDriver(MACHINE, {OURS: GB}, GPUS)
    async with app.run_test(size=(120, 50)) as pilot:
        await pilot.press("f5")
        text = await _show(app, pilot, driver, LOADED)
        first = text[text.index("GPU 0") : text.index("GPU 1")]
        assert "Lantern X" in first
        assert "42 % busy" in first
        assert "20.0 GB" in _row(first, "other processes")
        assert "50.0 GB" in _row(first, "free")
        lost = text[text.index("GPU 1") :]
        assert "Lantern Y LOST" in lost
        assert "no longer answers" in lost
        assert "No GPU" not in text


async def test_a_machine_without_a_gpu_says_so_and_the_last_answer_is_told(make_app: MakeApp) -> None:
    app = make_app()
    driver = ScriptedMemoryDriver(MACHINE, {OURS: GB})
    async with app.run_test(size=(200, 40)) as pilot:
        await pilot.press("f5")
        text = await _show(app, pilot, driver, LOADED)
        assert "No GPU found: the model runs on the processor." in text
        for words in (
            SMALL_MODEL.name,
            "84.1 tokens/s",
            "first after 310 ms",
            "300 of 400 prompt tokens reused",
        ):
            assert words in text


async def test_loading_a_model_raises_the_weights_row_by_its_size(make_app: MakeApp) -> None:
    app = make_app()
    driver = ScriptedMemoryDriver(MACHINE, {OURS: GB})
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f5")
        assert "0 MB" in _row(await _show(app, pilot, driver, None), "weights")
        text = await _show(app, pilot, driver, LOADED)
        assert "98 MB" in _row(text, "weights")
        assert "50 MB" in _row(text, "KV cache")
        assert "10 MB" in _row(text, "workspace")
        assert "842 MB" in _row(text, "rest of the engine")


async def test_a_machine_that_tells_nothing_leaves_the_screen_standing(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.press("f5")
        text = await _show(app, pilot, ScriptedMemoryDriver(), None)
        assert "none in memory" in text


async def test_models_are_listed_with_what_is_wrong_and_loading_is_followed(make_app: MakeApp) -> None:
    broken = msgspec.structs.replace(
        SMALL_MODEL, name="Gone-7B", location="gone.gguf", available=False, note="There is no such file."
    )
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("f5")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, MemoryScreen)
        listed = events.ModelsListed((SMALL_MODEL, broken), SMALL_MODEL.location, None)
        screen.post_message(messages.ModelsArrived(listed))
        screen.post_message(messages.ModelProgressed(events.ModelLoading(SMALL_MODEL.name, "reading", 0.25)))
        await pilot.pause()
        text = screen_text(app)
        assert "not available" in _row(text, "Gone-7B")
        assert f"Loading {SMALL_MODEL.name}: reading" in text
        assert "░ 25 %" in text
        screen.post_message(messages.ModelArrived(events.ModelLoaded(SMALL_MODEL, 1.5)))
        await pilot.pause()
        assert f"Loaded {SMALL_MODEL.name} in 1.5 s" in screen_text(app)
        assert app.facts.model == SMALL_MODEL


async def test_a_load_that_ends_while_nobody_looks_measures_nothing(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("f5")
        await pilot.pause()
        screen = app.screen
        assert screen in app.bridge._watches
        await pilot.press("f2")
        await pilot.pause()
        screen.post_message(messages.ModelArrived(events.ModelLoaded(SMALL_MODEL, 1.5)))
        await pilot.pause()
        assert app.facts.model == SMALL_MODEL
        assert app.bridge._watches == {}
        await pilot.press("f5")
        await pilot.pause()
        assert screen in app.bridge._watches


async def test_the_models_say_what_is_missing_for_a_device(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 50)) as pilot:
        await pilot.press("f5")
        note = missing_torch_note(GPUS, installed=False)
        listed = events.ModelsListed((SMALL_MODEL,), SMALL_MODEL.location, None, note)
        app.screen.post_message(messages.ModelsArrived(listed))
        await pilot.pause()
        assert "make setup EXTRAS=torch" in screen_text(app)


async def test_each_answers_figures_stand_beside_its_question(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(140, 40)) as pilot:
        for question in ("Does the lantern count?", "And the moth?"):
            app.chat._start_feed(question)
            await pilot.pause()
            feed = app.chat._feed
            assert feed is not None
            tell(feed, *beginning(), ending())
            await pilot.pause()
        await pilot.press("f5")
        await pilot.pause()
        rows = [line for line in screen_text(app).splitlines() if "84.1" in line and "0.31 s" in line]
        assert "And the moth?" in rows[0]
        assert "Does the lantern count?" in rows[1]


async def test_what_a_model_would_take_is_told_before_it_is_loaded(make_app: MakeApp) -> None:
    app = make_app()
    for size in ((140, 40), (80, 24)):
        async with app.run_test(size=size) as pilot:
            await pilot.press("f5")
            listed = events.ModelsListed((SMALL_MODEL,), SMALL_MODEL.location, None)
            app.screen.post_message(messages.ModelsArrived(listed))
            await pilot.pause()
            plan = events.ModelPlanned(SMALL_MODEL.location, "weights 98 MiB\nIt does not fit.", False)
            app.screen.post_message(messages.ModelPlanArrived(plan))
            await pilot.pause()
            text = screen_text(app)
            assert "weights 98 MiB" in text
            assert "It does not fit." in text
        app = make_app()


async def test_while_a_model_loads_the_time_left_is_told_or_the_time_so_far(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.press("f5")
        app.screen.post_message(messages.ModelProgressed(events.ModelLoading("Pebble", "loading", 0.5, 4.0)))
        await pilot.pause()
        assert "Loading Pebble: loading … ████" in screen_text(app)
        assert app.screen.query_one(AnswerFacts).progress.endswith("50 %  about 4 s left")
        app.screen.post_message(messages.ModelProgressed(events.ModelLoading("Pebble", "loading", None, 4.0)))
        await pilot.pause()
        assert "Loading Pebble: loading … 4 s so far" in " ".join(screen_text(app).split())


def test_the_history_is_a_plot_of_several_rows() -> None:
    rows = history_content((1, 2, 4), 40, True).plain.splitlines()
    assert rows[0].startswith("Engine")
    assert [row[2] for row in rows[1:]] == ["█"] * 4
    assert [row[0] for row in rows[1:]] == [" ", " ", " ", "█"]
