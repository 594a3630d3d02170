"""How every screen looks, in three sizes and two themes, against what is kept in `looks/`.

`make looks` keeps what is shown now; the difference is then there to be read before it is committed. A file
holds the text first, and then for each theme the styles: a letter for each, and for each line which letters
apply to how many cells.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Awaitable, Callable
from itertools import groupby
from pathlib import Path

import msgspec
import pytest
from rich.style import Style
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Input, TextArea

from hexcore_engine.data.demo import CARDS, SOURCE
from hexcore_engine.knowledge.cards.records import CardsSource
from hexcore_engine.knowledge.cards.schema import write_cards
from hexcore_engine.knowledge.rules.release import import_rules_file
from hexcore_engine.knowledge.store.builder import import_lock, publish_cards
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events
from hexcore_engine.protocol.records import SessionHit, SessionRecord
from hexcore_engine.service.telemetry import take_snapshot
from hexcore_engine.settings import Settings
from hexcore_engine.utils.memory import ScriptedMemoryDriver
from hexcore_tui import messages
from hexcore_tui.app import HexcoreApp
from hexcore_tui.messages import RuleRequested

from .conftest import answered, screen_text, until
from .test_lookup_screens import RULES
from .test_memory_screen import GB, GPUS, LOADED, MACHINE, OURS, USAGE

LOOKS = Path(__file__).with_name("looks")
SIZES = ((80, 24), (120, 40), (200, 60))
THEMES = ("hexcore-dark", "hexcore-light")
RENEW = os.environ.get("HEXCORE_RENEW_LOOKS") == "1"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZαβγδεζηθικλμνξοπρστυφχψω"

Look = Callable[[HexcoreApp, Pilot[int]], Awaitable[None]]


async def chat(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """An answer with checked citations, and a rule beside it."""
    await until(app, pilot, "No engine")
    app.chat.problem = ""
    answered(app)
    app.chat.show_beside(RuleRequested("702.19b"))
    await until(app, pilot, "702.19 Trample")


async def cards(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """A query with an operator and the first card it finds."""
    await pilot.press("f3", *"pow>0")
    await until(app, pilot, "4 found", "Creature — ")


async def rules(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """Words, what they find, and the first rule."""
    await pilot.press("f4", *"lantern")
    await until(app, pilot, "found", "keeper")


async def memory(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """Two devices, one of them lost."""
    await pilot.press("f5")
    snapshot = take_snapshot(ScriptedMemoryDriver(MACHINE, {OURS: GB}, GPUS), LOADED, USAGE)
    # Whether torch is installed differs from machine to machine.
    snapshot = msgspec.structs.replace(snapshot, gpu_note="")
    app.screen.post_message(messages.MemoryArrived(events.MemorySampled(snapshot)))
    await until(app, pilot, "Mossback")


async def sessions(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """Where a word was said."""
    await pilot.press("f6")
    await until(app, pilot, "No engine")
    hits = tuple(
        SessionHit(
            SessionRecord(
                f"s{day}", f"Question {day} of the week", "2026-01-01", f"2026-01-0{day}T09:30:00", day
            ),
            "… lit the lantern again",
            ((10, 17),),
        )
        for day in (1, 2, 3)
    )
    app.screen.post_message(messages.SessionHitsArrived(events.SessionsFound("", hits)))
    await until(app, pilot, "3 found")


async def settings(app: HexcoreApp, pilot: Pilot[int]) -> None:
    """All settings and what the first of them means."""
    await pilot.press("f10")
    await until(app, pilot, "Kept in")


@pytest.mark.parametrize("look", [chat, cards, rules, memory, sessions, settings])
async def test_every_screen_looks_as_it_did(
    look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    paths = Paths(home=tmp_path, config_dir=Path("/nowhere/hexcore"), log_dir=tmp_path / "log")
    build_world(paths, tmp_path)
    app = HexcoreApp(paths, Settings(), start_engine=False)
    async with app.run_test(size=SIZES[0]) as pilot:
        await until(app, pilot, "cards", "2026-01-01")
        await look(app, pilot)
        for field in app.screen.query("Input, PromptInput").results():
            assert isinstance(field, Input | TextArea)
            field.cursor_blink = False
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            compare(f"{look.__name__}-{size[0]}x{size[1]}", await drawn(app, pilot))


def build_world(paths: Paths, folder: Path) -> None:
    """Rules and cards of our own."""
    file = folder / "rules.txt"
    file.write_text(RULES, "utf-8")
    import_rules_file(paths.knowledge_dir, file)
    with import_lock(paths.knowledge_dir):
        source = CardsSource(SOURCE, "2026-01-01", len(CARDS))
        publish_cards(paths.knowledge_dir, lambda connection: write_cards(connection, CARDS, source))


async def drawn(app: HexcoreApp, pilot: Pilot[int]) -> str:
    """The screen as a file of `looks/` holds it."""
    parts = [screen_text(app)]
    for theme in THEMES:
        app.theme = theme
        await pilot.pause()
        parts.append(f"--- {theme}\n{styles_of(app.screen._compositor.render_strips())}")
    app.theme = THEMES[0]
    await pilot.pause()
    return "\n".join(parts) + "\n"


def styles_of(strips: list[Strip]) -> str:
    """The styles and where they apply; lines alike are told once."""
    letters: dict[str, str] = {}
    lines = []
    for strip in strips:
        runs: list[tuple[str, int]] = []
        for segment in strip:
            name = style_name(segment.style or Style())
            letter = letters.setdefault(name, LETTERS[len(letters)])
            runs.append((letter, segment.cell_length))
        lines.append(
            " ".join(
                f"{letter}{sum(length for _, length in same)}"
                for letter, same in groupby(runs, key=lambda run: run[0])
            )
        )
    told = [f"{len(list(same))} x {line}" for line, same in groupby(lines)]
    return "\n".join([*(f"{letter} = {name}" for name, letter in letters.items()), *told])


def style_name(style: Style) -> str:
    """Attributes and colours, without what a click would do."""
    words = [name for name in ("bold", "dim", "italic", "underline", "reverse") if getattr(style, name)]
    colors = [color.get_truecolor().hex for color in (style.color, style.bgcolor) if color]
    return " ".join([*words, *colors])


def compare(name: str, text: str) -> None:
    """Fail with what is different, or keep it where that is wanted."""
    file = LOOKS / f"{name}.txt"
    if RENEW:
        LOOKS.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    kept = file.read_text("utf-8") if file.is_file() else ""
    difference = difflib.unified_diff(kept.splitlines(), text.splitlines(), "kept", "now", lineterm="", n=1)
    assert kept == text, "\n".join([f"{name} looks different; `make looks` keeps it:", *difference])
