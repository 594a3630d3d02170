"""Cards and rules as a person looks them up: typing, moving, following links, nothing to look up in."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot

from hexcore_engine.data.demo import CARDS
from hexcore_engine.knowledge.cards.records import CardRecord, CardsSource, FaceRecord
from hexcore_engine.knowledge.cards.schema import write_cards
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.rules.release import ensure_digest_release, import_rules_file
from hexcore_engine.knowledge.store.builder import import_lock, publish_cards
from hexcore_engine.paths import Paths
from hexcore_tui.app import HexcoreApp
from hexcore_tui.screens.cards import CardsScreen
from hexcore_tui.screens.rules import RulesScreen
from hexcore_tui.widgets.cards.card_list import CardList
from hexcore_tui.widgets.cards.card_view import CardView
from hexcore_tui.widgets.chat import found_view
from hexcore_tui.widgets.chat.found_view import FoundView, find_all
from hexcore_tui.widgets.rules.findings import FindingList
from hexcore_tui.widgets.rules.rule_view import RuleView
from hexcore_tui.widgets.shared.query_input import QueryInput

from .conftest import screen_text

MakeApp = Callable[[], HexcoreApp]
# A rules file in words of our own, with real numbers.
RULES = """Rules of the lantern

These rules are effective as of January 1, 2026.

1. Game Concepts

100. Lanterns

100.1. A lantern is lit by its keeper.

6. Spells, Abilities, and Effects

608. Resolving Spells and Abilities

608.2b A lantern with nothing left to light goes out.

7. Additional Rules

702. Keyword Abilities

702.2. Deathtouch

702.2a Deathtouch is a lantern that puts out whatever it touches.

702.2b One touch of a lantern is enough; see rule 702.19b.

702.19. Trample

702.19a Trample is a heavy lantern.

702.19b What a blocker does not hold of the heavy lantern rolls on.
Example: A lantern of six meets a blocker of two, and four roll on.

702.19c It does not roll uphill.

Glossary

Trample
A heavy lantern. See rule 702.19, “Trample.”

Credits
"""
NAMES = ("Lím-Dür's Lamp", "Nettle", "Nettle Adder Nest")


@pytest.fixture(scope="module")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's cards, some more with names that are easy to mistake, and rules of our own."""
    folder = tmp_path_factory.mktemp("world") / "knowledge"
    more = [
        CardRecord(name, "normal", 1, (), (), (), (FaceRecord(name, "{1}", "Artifact", "It glows."),))
        for name in NAMES
    ]
    with import_lock(folder):
        source = CardsSource("invented for the test", "2026-01-01", len(CARDS) + len(more))
        publish_cards(folder, lambda connection: write_cards(connection, (*CARDS, *more), source))
    rules = folder.parent / "rules.txt"
    rules.write_text(RULES, "utf-8")
    import_rules_file(folder, rules)
    return folder


@pytest.fixture
def world_app(small_world: Path, paths: Paths, make_app: MakeApp) -> HexcoreApp:
    shutil.copytree(small_world, paths.knowledge_dir)
    return make_app()


async def shown(app: HexcoreApp, pilot: Pilot[int], words: str, timeout_s: float = 10.0) -> str:
    """Wait until the screen shows `words`."""
    async with asyncio.timeout(timeout_s):
        while words not in screen_text(app):
            await pilot.pause(0.02)
    return screen_text(app)


async def test_cards_are_found_while_typing_the_exact_name_first(world_app: HexcoreApp) -> None:
    async with world_app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f3", *"nettle")
        text = await shown(world_app, pilot, "3 found")
        assert text.index("Nettle  ") < text.index("Nettle Adder")
        assert world_app.screen.query_one(CardList).highlighted_name == "Nettle"


async def test_plain_letters_find_names_with_diacritics(world_app: HexcoreApp) -> None:
    async with world_app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f3", *"lim-dur")
        assert "Lím-Dür's Lamp" in await shown(world_app, pilot, "1 found")


async def test_a_query_is_answered_while_typing_and_tells_the_operator_under_the_cursor(
    world_app: HexcoreApp,
) -> None:
    async with world_app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f3", *"t:artifact")
        await shown(world_app, pilot, "type line: t:elf")
        assert "Nettle Adder Nest" in await shown(world_app, pilot, "found")


async def test_a_term_that_cannot_be_read_is_told_with_its_column_and_the_rest_is_answered(
    world_app: HexcoreApp,
) -> None:
    async with world_app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f3", *"nettle t:artifact pow>")
        await shown(world_app, pilot, "column 19: pow>")
        assert "3 found" not in await shown(world_app, pilot, "2 found")


async def test_a_query_that_lacks_its_data_says_so_where_the_card_would_stand(world_app: HexcoreApp) -> None:
    async with world_app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f3", *"f:modern")
        await shown(world_app, pilot, "nothing could be looked for")
        assert "legalities are not in" in await shown(world_app, pilot, "hexcore data import")


async def test_ordinary_words_are_read_as_a_query_that_can_be_taken_over(world_app: HexcoreApp) -> None:
    async with world_app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f3", *"creatures with trample")
        await shown(world_app, pilot, "^E takes it over")
        await pilot.press("ctrl+e")
        await shown(world_app, pilot, "t:creature kw:trample")
        assert world_app.screen.query_one(QueryInput).value == "t:creature kw:trample"
        assert "takes it over" not in screen_text(world_app)


async def test_a_keyword_of_a_card_opens_its_rule(world_app: HexcoreApp) -> None:
    async with world_app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f3", *"gravelmaw")
        await shown(world_app, pilot, "1 found")
        await pilot.press("enter")
        await shown(world_app, pilot, "Keywords")
        await pilot.press("tab", "enter")
        await shown(world_app, pilot, "702.19b")
        assert isinstance(world_app.screen, RulesScreen)
        assert world_app.screen.query_one(RuleView).number == "702.19"


async def test_a_rule_is_read_by_its_number_with_what_stands_around_it(world_app: HexcoreApp) -> None:
    async with world_app.run_test(size=(100, 60)) as pilot:
        await pilot.press("f4", *"702.19b")
        text = await shown(world_app, pilot, "Rules that point here")
        for words in ("702.19 Trample", "Example  A lantern of six", "Beside 702.19b", "702.19a  Trample is"):
            assert words in text
        assert "702.2b" in text[text.index("Rules that point here") :]
        assert text.index("rolls on") < text.index("In our words, not official")


async def test_without_a_rules_file_our_words_stand_in_and_say_so(paths: Paths, make_app: MakeApp) -> None:
    ensure_digest_release(paths.knowledge_dir)
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("f4", *"702.19b")
        text = await shown(app, pilot, "Beside 702.19b")
        assert "(in our words, not official)" in text
        assert "rules in our words" in text.splitlines()[0]


async def test_the_contents_are_walked_with_arrows_and_enter(world_app: HexcoreApp) -> None:
    async with world_app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f4")
        await shown(world_app, pilot, "1 Game Concepts")
        await pilot.press("down", "enter")
        await shown(world_app, pilot, "100 Lanterns")
        await pilot.press("down", "enter")
        await shown(world_app, pilot, "100.1")
        assert world_app.screen.query_one(RuleView).number == "100"


async def test_words_find_rules_and_a_followed_link_leads_back_and_forward(world_app: HexcoreApp) -> None:
    async with world_app.run_test(size=(100, 40)) as pilot:
        await pilot.press("f4", *"enough lantern")
        await shown(world_app, pilot, "702.2b")
        await pilot.press("enter")
        rule = world_app.screen.query_one(RuleView)
        async with asyncio.timeout(10):
            while rule.number is None or not rule.document.links or not rule.has_focus:
                await pilot.pause(0.02)
        first = rule.number
        await pilot.press("tab", "enter")
        async with asyncio.timeout(10):
            while rule.number == first:
                await pilot.pause(0.02)
        second = rule.number
        await pilot.press("alt+left")
        await shown(world_app, pilot, f"{first}  ")
        assert rule.number == first
        await pilot.press("alt+right")
        await shown(world_app, pilot, f"{second} ")
        assert rule.number == second
        assert "Alt+← Back" in screen_text(world_app)


async def test_what_players_say_leads_to_the_rule_that_decides_it(world_app: HexcoreApp) -> None:
    async with world_app.run_test(size=(100, 40)) as pilot:
        await pilot.press("f4", *"fizzle")
        text = await shown(world_app, pilot, "players say")
        assert "fizzle" in text
        found = world_app.screen.query_one(FindingList).marked
        assert found is not None
        assert found.number


@pytest.mark.parametrize("elsewhere", [("f1", "escape"), ("f2", "f3")])
async def test_who_comes_back_to_cards_finds_the_marked_row_and_what_was_read(
    world_app: HexcoreApp, elsewhere: tuple[str, ...]
) -> None:
    async with world_app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f3", *"nettle")
        await shown(world_app, pilot, "3 found")
        await pilot.press("down", "down", "enter")
        await shown(world_app, pilot, "It glows.")
        await pilot.press(*elsewhere)
        assert isinstance(world_app.screen, CardsScreen)
        await pilot.pause(0.4)
        assert world_app.screen.query_one(CardList).highlighted == 2
        assert world_app.screen.query_one(CardView).name_shown == "Nettle Adder Nest"


async def test_a_followed_link_is_not_taken_away_by_the_first_thing_found(world_app: HexcoreApp) -> None:
    async with world_app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f4", *"lantern")
        await shown(world_app, pilot, "found")
        await pilot.press("f3", *"gravelmaw")
        await shown(world_app, pilot, "1 found")
        # Another release came meanwhile, so that the rules are searched again.
        import_rules_file(world_app.knowledge_folder, _other_rules(world_app.knowledge_folder.parent))
        await pilot.press("enter")
        await shown(world_app, pilot, "Keywords")
        await pilot.press("tab", "enter")
        await shown(world_app, pilot, "702.19b")
        await pilot.pause(0.4)
        assert isinstance(world_app.screen, RulesScreen)
        assert world_app.screen.query_one(RuleView).number == "702.19"


def _other_rules(folder: Path) -> Path:
    file = folder / "other.txt"
    file.write_text(RULES.replace("January 1", "February 1"), "utf-8")
    return file


async def test_who_goes_elsewhere_at_once_finds_the_rule_where_it_belongs(world_app: HexcoreApp) -> None:
    async with world_app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f3")
        world_app.open_rule("702.19b")
        world_app.action_go("chat")
        await pilot.pause()
        assert world_app.current_mode == "chat"
        await pilot.press("f4")
        await shown(world_app, pilot, "Beside 702.19b")


async def test_rules_and_cards_answer_clicks(world_app: HexcoreApp) -> None:
    async with world_app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f3", *"nettle")
        await shown(world_app, pilot, "3 found")
        await pilot.click(CardList, offset=(3, 1))
        await shown(world_app, pilot, "Source: invented")
        keys = screen_text(world_app).splitlines()[-1]
        await pilot.click("CardsScreen KeyBar", offset=(keys.index("F4 Rules") + 1, 0))
        await pilot.pause()
        assert isinstance(world_app.screen, RulesScreen)


@pytest.mark.parametrize(
    ("key", "missing"), [("f3", "No cards are here yet"), ("f4", "No rules are here yet")]
)
async def test_with_nothing_set_up_the_screen_names_the_command(
    make_app: MakeApp, key: str, missing: str
) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.press(key)
        await shown(app, pilot, missing)
        assert "hexcore setup" in " ".join(screen_text(app).replace("│", " ").split())


@pytest.mark.parametrize("key", ["f3", "f4"])
async def test_a_knowledge_file_damaged_while_the_app_runs_is_said_with_the_remedy(
    world_app: HexcoreApp, key: str
) -> None:
    async with world_app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f3", *"nettle")
        await shown(world_app, pilot, "3 found")
        for file in world_app.knowledge_folder.glob("*.sqlite"):
            file.write_bytes(b"\xff" * file.stat().st_size)
        await pilot.press("f2", key)
        await pilot.press(*"702.19b")
        await shown(world_app, pilot, "damaged")
        assert "hexcore setup" in " ".join(screen_text(world_app).split())
        await pilot.press("f2")
        assert not isinstance(world_app.screen, CardsScreen)


@pytest.mark.parametrize("key", ["f3", "f4"])
async def test_a_look_up_that_fails_without_damage_is_said_and_leaves_no_old_rows(
    world_app: HexcoreApp, key: str
) -> None:
    async with world_app.run_test(size=(100, 30)) as pilot:
        await pilot.press(key, *"trample")
        await shown(world_app, pilot, "found")
        locked = [_lock(file) for file in world_app.knowledge_folder.glob("*.sqlite")]
        try:
            await pilot.press("backspace")
            await shown(world_app, pilot, "The look-up failed: database is locked.")
            assert world_app.screen.query_one(CardList if key == "f3" else FindingList).num_rows == 0
        finally:
            for connection in locked:
                connection.close()


def _lock(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    return connection


@pytest.mark.parametrize(
    ("key", "words", "read", "source"),
    [
        ("f3", "nettle", "Source: invented", "Nettle"),
        ("f4", "702.19b", "Beside 702.19b", "702.19b  What a blocker does not hold"),
        ("f4", "trample", "heavy lantern. See rule", "A heavy lantern. See rule 702.19, “Trample.”"),
    ],
)
async def test_what_is_read_is_copied_with_its_source(
    world_app: HexcoreApp, key: str, words: str, read: str, source: str
) -> None:
    async with world_app.run_test(size=(160, 40), notifications=True) as pilot:
        await pilot.press(key, *words, "enter")
        await shown(world_app, pilot, read)
        await pilot.press("y")
        await shown(world_app, pilot, "characters sent")
        assert source in world_app.clipboard
        assert ("invented" if key == "f3" else "2026-01-01") in world_app.clipboard


async def test_a_term_looked_for_beside_the_chat_is_explained_with_its_rules(world_app: HexcoreApp) -> None:
    async with world_app.run_test(size=(140, 40)) as pilot:
        await pilot.press("ctrl+l", *"trample")
        text = await shown(world_app, pilot, "Glossary")
        assert "A heavy lantern." in text
        # What the words are stands above what they only occur in.
        assert text.index("Glossary") < text.index("Rules (")
        found = world_app.screen.query_one(FoundView)
        assert "702.19" in [link.target for link in found.document.links]


def test_beside_the_chat_more_cards_than_are_listed_are_not_said_to_be_all(
    small_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Knowledge(small_world)) as knowledge:
        assert "Cards (3 of 3)" in find_all(knowledge, "nettle").content.plain
        monkeypatch.setattr(found_view, "NUM_CARDS", 2)
        assert "Cards (the first 2)" in find_all(knowledge, "nettle").content.plain


@pytest.mark.parametrize(("words", "explained"), [("Tramp", True), ("ample", False)])
def test_beside_the_chat_a_term_is_explained_once_its_beginning_stands_there(
    small_world: Path, words: str, explained: bool
) -> None:
    with closing(Knowledge(small_world)) as knowledge:
        assert ("Glossary" in find_all(knowledge, words).content.plain) is explained
