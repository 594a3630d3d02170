from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.widgets import OptionList, TextArea

import hexcore_tui
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events
from hexcore_engine.protocol.records import (
    EngineRecord,
    ErrorRecord,
    ModeChoice,
    ModelRecord,
    ModeProbability,
)
from hexcore_engine.settings import Settings, load_settings
from hexcore_tui import bridge, clipboard, messages
from hexcore_tui.app import HexcoreApp
from hexcore_tui.display_profile import PROFILES, apply_profile, choose_profile
from hexcore_tui.facts import missing_model
from hexcore_tui.widgets.chat.prompt_commands import ModeChange, NewSession, read_command
from hexcore_tui.widgets.chat.status_line import usage_words
from hexcore_tui.widgets.chat.turn_pieces import evidence_words, mode_words

from .conftest import PASSAGES, SMALL_MODEL


def _names_written_on_self(tree: ast.ClassDef) -> set[str]:
    stored = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr.startswith("_")
    }
    methods = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    return stored | {name for name in methods if name.startswith("_") and not name.startswith("__")}


def test_no_private_name_of_ours_takes_the_place_of_one_of_the_frameworks() -> None:
    """Textual's private names are many, and a widget that overwrites one fails far away from it."""
    wanted = {("HexcoreApp", "_fatal_error")}
    taken = set(dir(Screen())) | set(dir(TextArea())) | set(dir(OptionList())) | set(dir(ScrollView()))
    found = set()
    for file in Path(next(iter(hexcore_tui.__path__))).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                found |= {(node.name, name) for name in _names_written_on_self(node) & taken}
    assert found - wanted == set()


def test_the_profile_follows_the_connection_unless_the_settings_name_one() -> None:
    assert choose_profile("auto", {"TERM": "xterm-256color"}).name == "local"
    assert choose_profile("auto", {"TERM": "xterm", "SSH_CONNECTION": "1 2 3 4"}).name == "ssh"
    assert choose_profile("auto", {"TERM": "linux"}).name == "plain"
    assert choose_profile("local", {"SSH_CONNECTION": "1 2 3 4"}).name == "local"


def test_a_slow_line_gets_fewer_frames_and_the_users_own_values_win() -> None:
    environment = {"TEXTUAL_FPS": "7"}
    apply_profile(PROFILES["ssh"], environment)
    assert environment["TEXTUAL_FPS"] == "7"
    assert environment["TEXTUAL_ANIMATIONS"] == "none"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/new", NewSession()),
        ("/mode", ModeChange()),
        ("/mode REASON", ModeChange("REASON")),
        ("/mode teach what is a lantern", ModeChange("TEACH", "what is a lantern")),
        ("/newer things", None),
        ("What does /mode do?", None),
        ("", None),
    ],
)
def test_only_our_own_slash_words_are_commands(text: str, command: object) -> None:
    assert read_command(text) == command


def test_the_copy_says_what_is_known_and_no_more(make_app: Callable[[], HexcoreApp]) -> None:
    app = make_app()
    words = clipboard.copy(app, "a\x1b[2Jb", {"TMUX": "1"})
    assert app.clipboard == "ab"
    assert "set-clipboard" in words
    assert "Copied" not in words
    too_long = clipboard.copy(app, "x" * 100_000, {})
    assert too_long.startswith("Not copied")
    assert app.clipboard == "ab"


def test_every_event_of_an_answer_has_its_message() -> None:
    for event in (*bridge.MESSAGE_OF_EVENT, events.RequestFailed):
        assert isinstance(event, type)
        assert issubclass(event, events.BaseEvent)
    refused = bridge.message_of(events.RequestFailed(ErrorRecord("HX-X", "a", "b")))
    assert isinstance(refused, messages.RequestRefused)
    status = EngineRecord(True, 1, None, None, None, 0.0, 1, False, 0)
    assert bridge.message_of(events.EngineReported(status)) is None
    assert bridge.message_of(events.StopAccepted(True)) is None


def test_an_error_of_our_own_making_does_not_quote_the_user() -> None:
    assert "lantern" not in bridge.record_of(KeyError("lantern")).message


def test_figures_that_are_not_known_are_left_out() -> None:
    assert usage_words(None) == ""
    assert evidence_words((), None, 3.0) == "no rule or card found"
    assert evidence_words(PASSAGES, "2026-01-16", 14.2) == "2 rules, 1 card in 14 ms (rules 2026-01-16)"
    assert evidence_words(PASSAGES, None, 0.0).endswith("while you typed (rules in our words, not official)")


def test_a_model_that_is_not_there_is_named_with_the_command() -> None:
    there = events.ModelsListed((SMALL_MODEL,), SMALL_MODEL.location, None)
    assert missing_model(there) == ()
    gone = ModelRecord("embedded", "x.gguf", "llama_cpp", available=False, note="no file")
    (line,) = missing_model(events.ModelsListed((gone,), "x.gguf", None))
    assert "hexcore setup" in line
    assert "no file" in line


async def test_another_theme_is_kept_for_the_next_start(paths: Paths) -> None:
    app = HexcoreApp(paths, Settings(), start_engine=False)
    async with app.run_test() as pilot:
        app.theme = "hexcore-light"
        await pilot.pause()
    assert load_settings(paths.settings_file, {}).screen.theme == "hexcore-light"


async def test_a_theme_that_does_not_exist_is_said_and_another_is_worn(paths: Paths) -> None:
    settings = load_settings(paths.settings_file, {"HEXCORE_SCREEN_THEME": "moss"})
    app = HexcoreApp(paths, settings, start_engine=False)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.theme.startswith("hexcore-")
        assert any("'moss'" in line for line in app.missing)


def test_an_unsure_mode_says_which_two_it_may_be_which_was_taken_and_how_to_choose() -> None:
    ranked = (
        ModeProbability("EXPLAIN", 0.4),
        ModeProbability("RETROSPECT", 0.35),
        ModeProbability("TEACH", 0.2),
    )
    unsure = ModeChoice("EXPLAIN", 0.4, abstained=True, ranked=ranked)
    assert mode_words(unsure) == (
        "mode EXPLAIN or RETROSPECT? Answered as EXPLAIN; /mode retrospect for the other"
    )
    even = tuple(ModeProbability(entry.mode, 1 / 3) for entry in ranked)
    guess = mode_words(ModeChoice("EXPLAIN", 1 / 3, abstained=True, ranked=even))
    assert guess == "mode EXPLAIN, a mere guess; /mode chooses one"
