from __future__ import annotations

from collections.abc import Callable

from textual.pilot import Pilot

from hexcore_engine.data.demo import build_demo
from hexcore_engine.paths import Paths
from hexcore_tui.actions import ACTIONS, Action
from hexcore_tui.app import HexcoreApp
from hexcore_tui.messages import RuleRequested
from hexcore_tui.palette import owners

from .conftest import answered

# Moving a mark, the cursor or a page, going through what was typed, and the palette itself.
MOTION = {"field", "list", "text", "motion"}
MOVES = {
    "prompt.insert_line",
    "prompt.older",
    "prompt.newer",
    "answer.up",
    "answer.down",
    "answer.next_part",
    "answer.part_before",
    "chat.page_up",
    "chat.page_down",
    "everywhere.command_palette",
}


def offered(app: HexcoreApp) -> set[str]:
    """The sentences of all that the palette offers, without their keys."""
    return {command.help.partition("  ")[0] for command in app.get_system_commands(app.screen)}


def wanted(*without: str) -> set[str]:
    """The sentences of all actions but those that only move, and those of places that are not there."""
    return {
        action.help
        for action in ACTIONS
        if action.scope not in MOTION.union(without) and action.identity not in MOVES
    }


async def choose(pilot: Pilot[int], app: HexcoreApp, action: Action) -> None:
    """Open the palette, look for an action by its sentence's title, and take it."""
    (command,) = [
        command
        for command in app.get_system_commands(app.screen)
        if command.help.startswith(action.help) and not command.title.startswith("Chat: Copy")
    ]
    await pilot.press("ctrl+p")
    await pilot.pause()
    for letter in command.title:
        await pilot.press({" ": "space", ":": "colon"}.get(letter, letter))
    await pilot.app.workers.wait_for_complete()
    await pilot.press("down", "enter")
    await pilot.pause()


def action(identity: str) -> Action:
    """An action by its name among all."""
    return next(action for action in ACTIONS if action.identity == identity)


async def test_the_palette_reaches_every_action(make_app: Callable[[], HexcoreApp], paths: Paths) -> None:
    build_demo(paths.knowledge_dir)
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        answered(app)
        app.chat.show_beside(RuleRequested("702.19b"))
        await pilot.pause()
        for mode in ("chat", "cards", "rules", "memory", "sessions", "settings"):
            app.action_go(mode)
            await pilot.pause()
            assert wanted("changes") - offered(app) == set(), mode
        app.action_go("rules")
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert wanted() - offered(app) == set()


async def test_what_is_not_there_is_not_offered(make_app: Callable[[], HexcoreApp]) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        places = owners(app.screen)
        assert "prompt" in places
        assert "answer" not in places
        assert "pane" not in places


async def test_an_answer_is_edited_by_way_of_the_palette(make_app: Callable[[], HexcoreApp]) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        answered(app)
        await pilot.pause()
        await choose(pilot, app, action("answer.edit"))
        assert app.chat._prompt.text == "Who wins?"
        assert app.chat._prompt.editing


async def test_what_belongs_to_the_chat_is_done_from_another_screen(
    make_app: Callable[[], HexcoreApp],
) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f3")
        await choose(pilot, app, action("chat.next_mode"))
        assert app.current_mode == "chat"
        assert app.chat._prompt.pinned_mode == "REASON"


async def test_what_needs_a_choice_elsewhere_leads_there(make_app: Callable[[], HexcoreApp]) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await choose(pilot, app, action("sessions.delete_session"))
        assert app.current_mode == "sessions"
