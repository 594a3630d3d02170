from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs
from textual.message import Message
from textual.pilot import Pilot

from hexcore_engine.protocol import events
from hexcore_engine.protocol.records import Passage, SessionRecord, TurnRecord
from hexcore_tui import messages
from hexcore_tui.app import HexcoreApp
from hexcore_tui.widgets.chat.prompt_input import PromptInput
from hexcore_tui.widgets.chat.side_pane import SidePane
from hexcore_tui.widgets.chat.transcript import Transcript, TurnWish
from hexcore_tui.widgets.chat.turn_feed import TurnFeed

from .conftest import CITATIONS, PASSAGES, beginning, ending, screen_text, streamed, tell

MakeApp = Callable[[], HexcoreApp]
LONG_TEXT = "\n\n".join(f"Paragraph {number} of the lantern." for number in range(60))


def _prompt(app: HexcoreApp) -> PromptInput:
    return app.chat.query_one(PromptInput)


def _transcript(app: HexcoreApp) -> Transcript:
    return app.chat.query_one(Transcript)


def _feed(app: HexcoreApp, question: str = "Does the lantern count?") -> TurnFeed:
    app.chat._start_feed(question)
    assert app.chat._feed is not None
    return app.chat._feed


async def _answered(app: HexcoreApp, pilot: Pilot[int], *told: events.Event) -> None:
    feed = _feed(app)
    await pilot.pause()
    tell(feed, *beginning(), *(told or (*streamed(), ending())))
    await pilot.pause()


def _stored(num_turns: int, text: str = "An answer.") -> events.SessionOpened:
    record = SessionRecord("s7", "Lanterns", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z", num_turns)
    turns = tuple(
        TurnRecord(
            number, f"Question {number}?", None, PASSAGES, text, (), None, "end", "2026-01-16", "P", "2026"
        )
        for number in range(1, num_turns + 1)
    )
    return events.SessionOpened(record, turns)


async def test_up_from_the_empty_field_goes_to_the_newest_answer_and_letters_are_keys_there(
    make_app: MakeApp,
) -> None:
    seen: list[str] = []
    app = make_app()

    def watch(message: Message) -> None:
        if isinstance(message, Transcript.Asked) and (not seen or seen[-1] != message.what):
            seen.append(message.what)

    async with app.run_test(size=(100, 40), message_hook=watch) as pilot:
        await _answered(app, pilot)
        await pilot.press("up")
        assert app.focused is _transcript(app)
        await pilot.press("y", "e")
        await pilot.pause()
        assert _prompt(app).text == "Does the lantern count?"
        assert "Change the question" in screen_text(app)
        await pilot.press(*" rey")
        assert _prompt(app).text == "Does the lantern count? rey"
        await pilot.press("escape")
        assert _prompt(app).text == ""
    assert seen == ["copy", "edit"]


async def test_copying_a_citation_takes_number_words_and_release(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        await _answered(app, pilot)
        await pilot.press("tab", "tab", "y")
        await app.workers.wait_for_complete()
        assert app.clipboard == "702.19b: Text of 702.19b. (rules 2026-01-16)"


async def test_copying_an_answer_takes_its_citations_and_the_release(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        await _answered(app, pilot)
        await pilot.press("f8")
        await app.workers.wait_for_complete()
        assert "Yes: the lantern decides it [702.19b]." in app.clipboard
        assert "- 702.19b (quoted): Text of 702.19b." in app.clipboard
        assert "- 999.9z (unknown)" in app.clipboard
        assert app.clipboard.endswith("(rules 2026-01-16)")


async def test_a_cards_name_in_an_answer_opens_the_card_beside_the_chat(make_app: MakeApp) -> None:
    app = make_app()
    text = "Yes: the gravel titan tramples."
    async with app.run_test(size=(100, 40)) as pilot:
        await _answered(app, pilot, *streamed(text), ending(text=text))
        await pilot.press("tab", "tab")
        marked = _transcript(app).marked
        assert marked is not None
        assert (marked.kind, marked.name) == ("card", "Gravel Titan")
        await pilot.press("enter")
        await pilot.pause()
        assert "Gravel Titan" in screen_text(app)
        assert app.chat.query_one(SidePane).is_attached


async def test_space_unfolds_the_words_of_a_cited_rule_in_place(make_app: MakeApp) -> None:
    long = Passage(
        "rule", "702.19b", "Lantern", f"{'The lantern glows. ' * 12}Last word.", "named", "Rules of the test"
    )
    app = make_app()
    async with app.run_test(size=(80, 40)) as pilot:
        feed = _feed(app)
        await pilot.pause()
        tell(feed, *beginning((long,)), *streamed(), ending())
        await pilot.pause()
        assert "Last word." not in screen_text(app)
        await pilot.press("tab", "tab", "tab", "space")
        await pilot.pause()
        assert "Last word." in screen_text(app)
        await pilot.press("space")
        await pilot.pause()
        assert "Last word." not in screen_text(app)


async def test_the_words_of_an_answer_are_searched_on_the_screen_they_belong_to(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        await _answered(app, pilot)
        await pilot.press("tab", "s")
        await pilot.pause()
        assert app.current_mode == "cards"
        assert "Gravel Titan" in screen_text(app)
        await pilot.press("f2", "tab", "tab", "s")
        await pilot.pause()
        assert app.current_mode == "rules"
        assert "702.19b" in screen_text(app)


async def test_the_end_is_followed_until_the_reader_scrolls_away_and_again_when_they_return(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        feed = _feed(app)
        await pilot.pause()
        tell(feed, *beginning(), *streamed(LONG_TEXT, 200)[:5])
        await pilot.pause(0.2)
        transcript = _transcript(app)
        assert transcript.scroll_offset.y == transcript.max_scroll_y
        await pilot.press("pageup")
        await pilot.pause()
        assert transcript.scroll_offset.y < transcript.max_scroll_y
        place = transcript.scroll_offset.y
        tell(feed, *streamed(LONG_TEXT, 200)[5:8])
        await pilot.pause(0.2)
        assert transcript.scroll_offset.y == place
        await pilot.press(*["pagedown"] * 4)
        await pilot.pause()
        assert transcript.scroll_offset.y == transcript.max_scroll_y
        tell(feed, *streamed(LONG_TEXT, 200)[8:])
        await pilot.pause(0.2)
        assert transcript.scroll_offset.y == transcript.max_scroll_y
        assert "Paragraph 59" in screen_text(app)


async def test_only_the_turns_in_sight_of_a_long_conversation_are_laid_out(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        app.chat.post_message(messages.SessionArrived(_stored(500)))
        await pilot.pause()
        transcript = _transcript(app)
        assert len(app.chat.turns) == 500
        assert sum(page.is_laid_out for page in transcript._pages) < 10
        assert "Question 500?" in screen_text(app)
        for _ in range(40):
            await pilot.press("pageup")
        await pilot.pause()
        assert "Question 500?" not in screen_text(app)
        assert sum(page.is_laid_out for page in transcript._pages) < 40
        transcript.scroll_home(animate=False)
        await pilot.pause()
        assert "Question 1?" in screen_text(app)


async def test_scrolling_back_shows_each_line_once(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        app.chat.post_message(messages.SessionArrived(_stored(30, "One.\n\nTwo.\n\nThree.")))
        await pilot.pause()
        transcript = _transcript(app)
        seen: list[int] = []
        while transcript.scroll_offset.y > 0:
            transcript.scroll_relative(y=-5, animate=False)
            await pilot.pause()
            top = next(line for line in screen_text(app).splitlines() if "Question" in line and "?" in line)
            number = int(top.split("Question ")[1].split("?")[0])
            if not seen or seen[-1] != number:
                seen.append(number)
        assert seen == sorted(seen, reverse=True)
        assert seen[-1] == 1


async def test_what_an_answer_rests_on_is_said_in_the_turn_and_below_the_field(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await _answered(app, pilot)
        text = " ".join(screen_text(app).split())
        assert text.count("1 quoted, 1 from the evidence, 1 unknown, the rest is the model's own words") == 2
        assert "Pebble-1M, 98 MB" in text
        assert "rules 2026-01-16" in text
        assert "To fit: left out 1 of 3 passages." in text
    assert len(CITATIONS) == 4


async def test_a_question_goes_on_only_from_an_answer_cut_short(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        await _answered(app, pilot)
        await pilot.press("up", "c")
        await pilot.pause()
        assert "can be gone on with" in screen_text(app)
        await _answered(app, pilot, *streamed("Yes: the"), ending(events.AnswerStopped, "Yes: the"))
        await pilot.press("f9", "up")
        assert "c Continue" in screen_text(app)


async def test_turns_that_were_not_sent_are_told(make_app: MakeApp) -> None:
    opened = _stored(2)
    record = structs.replace(opened.session, num_turns=900)
    app = make_app()
    async with app.run_test(size=(100, 60)) as pilot:
        app.chat.post_message(messages.SessionArrived(structs.replace(opened, session=record)))
        await pilot.pause()
        assert "898 earlier turns are not shown here" in screen_text(app)


async def test_what_is_said_about_the_rules_stands_under_one_answer_of_a_conversation(
    make_app: MakeApp,
) -> None:
    note = "The rules are older than the cards."
    app = make_app()
    async with app.run_test(size=(100, 60)) as pilot:
        for _ in range(2):
            feed = _feed(app)
            await pilot.pause()
            found = events.PassagesRetrieved("q1", PASSAGES, "2026-01-16", 13.2, notes=(note,))
            completed = structs.replace(ending(), notes=(note, "No rule was cited."))
            tell(feed, *beginning()[:2], found, *beginning()[3:], *streamed(), completed)
            await pilot.pause()
        text = screen_text(app)
        assert text.count(note) == 1
        assert text.count("No rule was cited.") == 2
        await pilot.press("ctrl+n")
        feed = _feed(app)
        await pilot.pause()
        tell(feed, *beginning()[:2], found, *beginning()[3:])
        await pilot.pause()
        assert note in screen_text(app)


@pytest.mark.parametrize("key", ["r", "e", "c"])
@pytest.mark.parametrize("num_turns", [0, 2])
async def test_a_key_on_an_answer_does_nothing_once_another_conversation_is_shown(
    make_app: MakeApp, key: str, num_turns: int
) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        app.chat.post_message(messages.SessionArrived(_stored(3)))
        await pilot.pause()
        transcript = _transcript(app)
        transcript.enter(first=True)
        await pilot.pause()
        wishes: dict[str, TurnWish] = {"r": "retry", "e": "edit", "c": "continue"}
        # The conversation stands in the screen's queue before what the key asks for.
        app.chat.post_message(messages.SessionArrived(_stored(num_turns)))
        transcript.action_wish(wishes[key])
        await pilot.pause()
        assert len(app.chat.turns) == num_turns
        assert not app.chat.answering
        assert app.chat._prompt.text == ""


async def test_who_leaves_what_was_opened_from_an_answer_that_is_gone_types_again(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        await _answered(app, pilot)
        await pilot.press("tab", "enter")
        await pilot.pause()
        assert app.chat.has_class("-reading")
        await pilot.press("ctrl+n")
        app.chat.query_one(SidePane).take_focus()
        await pilot.press("escape")
        await pilot.pause()
        assert not app.chat.has_class("-reading")
        assert app.focused is _prompt(app)
