"""The rules screen: what is near a rule, what points to it, and what changed since an older release."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from hexcore_engine.knowledge.rules.release import import_rules_file
from hexcore_engine.paths import Paths
from hexcore_tui.app import HexcoreApp
from hexcore_tui.screens.rule_changes import ONE_RELEASE, RuleChangesScreen
from hexcore_tui.widgets.chat.prompt_input import PromptInput
from hexcore_tui.widgets.rules.change_list import ChangeList
from tests.unit.knowledge.rules.own_release import own_editions

from .conftest import screen_text


@pytest.fixture
def paths_with_rules(paths: Paths) -> Paths:
    for name, content in own_editions().items():
        file = paths.home / f"{name}.txt"
        paths.home.mkdir(exist_ok=True)
        file.write_bytes(content)
        import_rules_file(paths.knowledge_dir, file)
    return paths


async def shown(pilot: Pilot[int], words: str) -> str:
    app = pilot.app
    assert isinstance(app, HexcoreApp)
    for _ in range(400):
        await pilot.pause(0.01)
        text = screen_text(app)
        if words in text:
            return text
    raise AssertionError(f"{words!r} never came:\n{screen_text(app)}")


@pytest.mark.usefixtures("paths_with_rules")
async def test_one_key_shows_what_is_near_and_what_points_here(make_app: Callable[[], HexcoreApp]) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await pilot.press("f4")
        await pilot.press(*"100.3")
        await shown(pilot, "Comprehensive Rules 2025-02-01")
        await pilot.press("enter")
        await shown(pilot, "drops a kettle")
        await pilot.press("ctrl+g")
        text = await shown(pilot, "Near 100.3")
        assert "Points to it" in text
        await pilot.press("ctrl+r")
        text = await shown(pilot, "What points to 100.3")
        assert "Glossary" in text
        assert "Kettle" in text
        await pilot.press("ctrl+r")
        await shown(pilot, "Beside 100.3")


@pytest.mark.usefixtures("paths_with_rules")
async def test_the_changes_are_listed_and_a_rule_chosen_there_is_read(
    make_app: Callable[[], HexcoreApp],
) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await pilot.press("f4", "ctrl+o")
        text = await shown(pilot, "2025-01-01 → 2025-02-01")
        assert "− 100.4" in text
        assert "→ 100.6" in text
        assert isinstance(pilot.app.screen, RuleChangesScreen)
        await pilot.press("enter")
        await shown(pilot, "Comprehensive Rules 2025-02-01")
        assert not isinstance(pilot.app.screen, RuleChangesScreen)


@pytest.mark.usefixtures("paths_with_rules")
async def test_a_number_of_an_old_release_leads_to_its_rule_of_today(
    make_app: Callable[[], HexcoreApp],
) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await pilot.press("f4")
        await pilot.press(*"100.6")
        await shown(pilot, "now 100.5")


async def test_without_two_releases_the_list_says_so(make_app: Callable[[], HexcoreApp]) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await pilot.press("f4", "ctrl+o")
        await shown(pilot, ONE_RELEASE[:40])
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(pilot.app.screen, RuleChangesScreen)


@pytest.mark.usefixtures("paths_with_rules")
async def test_a_change_is_put_into_a_question_by_the_number_it_has_now(
    make_app: Callable[[], HexcoreApp],
) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        app = pilot.app
        assert isinstance(app, HexcoreApp)
        await pilot.press("f4", "ctrl+o")
        text = await shown(pilot, "2025-01-01 → 2025-02-01")
        changes = app.screen.query_one(ChangeList)
        rows = changes._changes
        assert [row.number for row in rows if row.label == "100.6"] == ["100.5"]
        assert [row.number for row in rows if row.label == "100.4"] == [None]
        assert "Ask" in text
        for place, row in enumerate(rows, 1):
            await pilot.press("f7")
            await pilot.pause()
            assert app.chat.query_one(PromptInput).text == f"{row.number or row.label} "
            assert app.current_mode == "chat"
            app.chat.query_one(PromptInput).put("")
            await pilot.press("f4", "ctrl+o")
            await shown(pilot, "2025-01-01 → 2025-02-01")
            await pilot.press(*["down"] * place)
