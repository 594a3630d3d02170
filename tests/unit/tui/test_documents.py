"""What the texts to read say beside the text: the words looked for, and where a card may be played."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from textual.content import Content

from hexcore_engine.data.demo import CARDS
from hexcore_engine.knowledge.rules.release import import_rules_file
from hexcore_engine.knowledge.store.status import KnowledgeStatus
from hexcore_engine.paths import Paths
from hexcore_tui.app import HexcoreApp
from hexcore_tui.widgets.cards.card_document import card_document
from hexcore_tui.widgets.rules.rule_view import RuleView, emphasised
from hexcore_tui.widgets.shared.document import HIT_STYLE, Document
from tests.unit.knowledge.rules.own_release import own_editions

LEGALITIES = {"modern": "legal", "vintage": "restricted", "legacy": "banned", "old_school": "not_legal"}


def _marked(content: Content) -> list[str]:
    return [content.plain[span.start : span.end] for span in content.spans if span.style == HIT_STYLE]


def test_words_looked_for_are_marked_as_whole_words_wherever_they_stand() -> None:
    document = emphasised(Document(Content("A kettle. Kettles boil; the KETTLE sings.")), ("kettle",))
    assert _marked(document.content) == ["kettle", "KETTLE"]


async def test_a_rule_that_was_found_has_the_words_marked_in_its_text_and_one_followed_to_has_not(
    paths: Paths, make_app: Callable[[], HexcoreApp], own_rules: None
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("f4", *"drops")
        view = app.screen.query_one(RuleView)
        for _ in range(200):
            await pilot.pause(0.01)
            if _marked(view.document.content):
                break
        assert {word.lower() for word in _marked(view.document.content)} <= {"drop", "drops"}
        assert _marked(view.document.content)
        view.show("100.3")
        for _ in range(200):
            await pilot.pause(0.01)
            if view.number == "100.3" and not _marked(view.document.content):
                break
        assert _marked(view.document.content) == []


@pytest.fixture
def own_rules(paths: Paths) -> None:
    paths.home.mkdir(exist_ok=True)
    for name, content in own_editions().items():
        file = paths.home / f"{name}.txt"
        file.write_bytes(content)
        import_rules_file(paths.knowledge_dir, file)


def test_a_card_says_where_it_is_banned_first(status: KnowledgeStatus) -> None:
    card = msgspec.structs.replace(CARDS[0], legalities=LEGALITIES)
    text = card_document(card, {}, status).content.plain
    lines = [line for line in text.splitlines() if line.split("  ")[0] in STATUS_LABELS]
    assert lines == ["Banned  legacy", "Restricted  vintage", "Legal  modern", "Not legal  old school"]


def test_where_the_source_tells_no_legalities_none_are_said(status: KnowledgeStatus) -> None:
    text = card_document(CARDS[0], {}, status).content.plain
    assert not any(line.startswith(STATUS_LABELS) for line in text.splitlines())


STATUS_LABELS = ("Banned", "Restricted", "Legal", "Not legal")


@pytest.fixture
def status(paths: Paths) -> KnowledgeStatus:
    from hexcore_engine.knowledge.lookup import Knowledge

    knowledge = Knowledge(paths.knowledge_dir)
    try:
        return knowledge.status()
    finally:
        knowledge.close()
