from __future__ import annotations

import unicodedata
from collections.abc import Callable

from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import ContentSwitcher

from hexcore_engine.protocol import events
from hexcore_engine.protocol.records import ErrorRecord, Passage, SessionRecord, TurnRecord
from hexcore_tui import messages
from hexcore_tui.app import HexcoreApp
from hexcore_tui.widgets.chat.prompt_input import PromptInput
from hexcore_tui.widgets.chat.side_pane import SidePane
from hexcore_tui.widgets.chat.transcript import Transcript
from hexcore_tui.widgets.chat.turn_feed import TurnFeed
from hexcore_tui.widgets.rules.rule_view import RuleView

from .conftest import (
    ANSWER,
    CITATIONS,
    PASSAGES,
    beginning,
    ending,
    passage,
    screen_text,
    streamed,
    tell,
    until,
)

MakeApp = Callable[[], HexcoreApp]


def _prompt(app: HexcoreApp) -> PromptInput:
    return app.chat.query_one(PromptInput)


def _transcript(app: HexcoreApp) -> Transcript:
    return app.chat.query_one(Transcript)


async def _turn(app: HexcoreApp, pilot: Pilot[int]) -> TurnFeed:
    """A turn on the screen that no engine answers."""
    app.chat._start_feed("Does the lantern count?")
    await pilot.pause()
    assert app.chat._feed is not None
    return app.chat._feed


async def test_evidence_stands_above_the_answer_and_every_number_carries_its_mark(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        turn = await _turn(app, pilot)
        tell(turn, *beginning())
        await pilot.pause()
        before = screen_text(app)
        assert "mode EXPLAIN 83%" in before
        assert "named in the question" in before
        assert "Yes: the lantern" not in before
        tell(turn, *streamed(), *(events.CitationChecked("q1", citation) for citation in CITATIONS), ending())
        await pilot.pause()
        text = screen_text(app).replace("\u00a0", " ")
        assert (
            text.index("named in the question") < text.index("small model's draft") < text.index("Yes: the")
        )
        assert "[702.19b ❝ quoted]" in text
        assert "[510.1c ≡ from the evidence]" in text
        assert "[999.9z ✗ unknown]" in text
        assert "510.1c ≡ from the evidence" in text
        assert "left out 1 of 3 passages" in text
        assert "84.1 tokens/s" in text
        assert "in our words" in text


async def test_the_messages_of_an_answer_come_in_the_order_of_the_engine(make_app: MakeApp) -> None:
    seen: list[type[Message]] = []
    app = make_app()
    async with app.run_test(message_hook=lambda message: seen.append(type(message))) as pilot:
        turn = await _turn(app, pilot)
        tell(turn, *beginning(), streamed()[0], ending())
        await pilot.pause()
    wanted = [
        messages.AnswerAccepted,
        messages.AnswerRouted,
        messages.EvidenceFound,
        messages.AnswerPlanned,
        messages.AnswerTextArrived,
        messages.AnswerEnded,
        TurnFeed.Finished,
    ]
    assert [kind for kind in dict.fromkeys(seen) if kind in wanted] == wanted


async def test_a_question_that_failed_comes_back_to_the_prompt_with_its_words(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        turn = await _turn(app, pilot)
        error = ErrorRecord("HX-CONTEXT", "It is too long.", "Shorten it.")
        turn.post_message(messages.RequestRefused(error))
        await pilot.pause()
        assert _prompt(app).text == "Does the lantern count?"
        assert "It is too long. Shorten it." in screen_text(app)


async def test_what_was_written_stays_when_the_engine_is_lost(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        turn = await _turn(app, pilot)
        tell(turn, *beginning(), *streamed("The lantern glows"))
        error = ErrorRecord("HX-LOST", "The engine ended.", "Ask again.")
        turn.post_message(messages.RequestRefused(error, engine_lost=True))
        await pilot.pause()
        text = screen_text(app)
        assert "The lantern glows" in text
        assert "The engine was lost" in text
        assert not app.chat.answering
        assert _prompt(app).text == ""


async def test_a_stopped_answer_keeps_its_text_and_says_so(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        turn = await _turn(app, pilot)
        tell(turn, *beginning(), *streamed(), ending(events.AnswerStopped, "Yes: the lan"))
        await pilot.pause()
        assert "Stopped. What was written is kept." in screen_text(app)
        assert turn.turn.answer == "Yes: the lan"


async def test_tab_and_arrows_reach_every_passage_and_citation(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        turn = await _turn(app, pilot)
        tell(turn, *beginning(), *streamed(), ending())
        await pilot.pause()
        reached = []
        await pilot.press("tab")
        while app.focused is _transcript(app):
            marked = _transcript(app).marked
            assert marked is not None
            reached.append(marked.name)
            await pilot.press("down")
        evidence = ["Gravel Titan", "702.19b", "510.1c"]
        in_answer = ["702.19b", "510.1c", "999.9z", "702.19b"]
        assert reached == [*evidence, *in_answer, "702.19b", "510.1c", "999.9z"]
        assert isinstance(app.focused, PromptInput)


async def test_the_prompt_keeps_its_words_and_an_answer_goes_on_across_screens(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        turn = await _turn(app, pilot)
        await pilot.press(*"next one")
        await pilot.press("f6")
        await pilot.pause()
        assert app.current_mode == "sessions"
        tell(turn, *beginning(), *streamed(), ending())
        await pilot.pause()
        await pilot.press("f2")
        await pilot.pause()
        assert _prompt(app).text == "next one"
        assert turn.turn.answer == ANSWER


async def test_a_stored_conversation_is_shown_with_its_evidence_and_marks(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        record = SessionRecord("s7", "Lanterns", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z", 1)
        turn = TurnRecord(
            1,
            "Old question?",
            None,
            PASSAGES,
            ANSWER,
            CITATIONS,
            None,
            "end",
            "2026-01-16",
            "Pebble-1M",
            "2026",
        )
        app.chat.post_message(messages.SessionArrived(events.SessionOpened(record, (turn,))))
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        text = screen_text(app).replace("\u00a0", " ")
        assert "Old question?" in text
        assert "[702.19b ❝ quoted]" in text
        assert app.chat._session_id == "s7"


async def test_an_empty_home_is_told_in_lines_that_name_the_command(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await until(app, pilot, "no rules yet")
        text = " ".join(screen_text(app).split())
        assert "Nothing is set up yet" in text
        assert '^P and "Set up" gets it from here' in text
        assert "hexcore setup" in text
        assert "Fan Content" in text


async def test_enter_on_a_passage_opens_it_beside_the_chat_and_the_trail_leads_back(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        turn = await _turn(app, pilot)
        term = passage("glossary", "lantern")
        tell(turn, *beginning((term, *PASSAGES)))
        await pilot.pause()
        await pilot.press("tab", "enter")
        await pilot.pause()
        assert "Text of lantern." in screen_text(app)
        app.open_rule("702.19b")
        await pilot.pause()
        assert app.chat.query_one(SidePane).query_one(ContentSwitcher).current == "rule"
        await pilot.press("left_square_bracket")
        await pilot.pause()
        assert "Text of lantern." in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert not app.chat.has_class("-reading")
        assert app.focused is _transcript(app)


async def test_help_lies_over_the_chat_and_escape_takes_it_away(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.press("f1")
        assert "Show every key" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert len(app.screen_stack) == 1


async def test_hostile_words_of_an_engine_reach_no_cell_of_the_screen(make_app: MakeApp) -> None:
    hostile = "x\x1b]0;title\x07\x1b[99;98H\x9b1m\u202eflip\u200b\x00 [bold]loud[/bold]"
    app = make_app()
    async with app.run_test(size=(120, 50)) as pilot:
        app.chat._start_feed(f"Question {hostile}")
        await pilot.pause()
        turn = app.chat._feed
        assert turn is not None
        found = tuple(
            Passage(
                kind,
                f"id {hostile}",
                f"title {hostile}",
                f"text {hostile}",
                f"why {hostile}",
                f"from {hostile}",
            )
            for kind in ("rule", "card", "glossary")
        )
        tell(turn, *beginning(found), *streamed(f"Answer {hostile} [{hostile}]."))
        error = ErrorRecord("HX-X", f"Broke {hostile}", f"Do {hostile}")
        turn.post_message(messages.RequestRefused(error))
        app.chat.problem = f"Problem {hostile}"
        await pilot.pause()
        await pilot.press("f9", "tab", "end", "enter")
        await pilot.pause()
        text = screen_text(app)
        assert "[bold]loud[/bold]" in text
        controls = {letter for letter in text if unicodedata.category(letter) in ("Cc", "Cf")} - {"\n"}
        assert controls == set()


async def test_long_evidence_is_folded_and_enter_on_its_last_line_shows_the_rest(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        turn = await _turn(app, pilot)
        tell(turn, *beginning(tuple(passage("rule", f"100.{number}") for number in range(1, 13))))
        await pilot.pause()
        assert "6 more" in screen_text(app)
        assert "100.7 " not in screen_text(app)
        await pilot.press("tab", *["down"] * 6, "enter")
        await pilot.pause()
        text = screen_text(app)
        assert "100.7 " in text
        assert "100.12 " in text
        assert "6 more" not in text
        await pilot.press("enter")
        await pilot.pause()
        assert app.chat.query_one(SidePane).query_one(RuleView).is_attached
        assert "100.7" in screen_text(app)


async def test_tab_goes_to_the_newest_turn(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        for _ in range(2):
            turn = await _turn(app, pilot)
            tell(turn, *beginning(), *streamed(), ending())
            await pilot.pause()
        await pilot.press("tab")
        assert _transcript(app).current is turn.turn


async def test_why_nothing_was_found_stays_on_the_screen_while_a_model_writes(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        turn = await _turn(app, pilot)
        failed = ErrorRecord("HX-CORRUPT", "A knowledge file is damaged.", "Run `hexcore setup`.")
        routed, planned = beginning()[1], beginning()[3]
        found = events.PassagesRetrieved("q1", (), None, 1.0, error=failed)
        tell(turn, routed, found, planned, *streamed("The lantern"))
        await pilot.pause()
        assert "A knowledge file is damaged. Run `hexcore setup`." in screen_text(app)
        tell(turn, ending(text="The lantern"))
        await pilot.pause()
        text = screen_text(app)
        assert "A knowledge file is damaged." in text
        assert "no rule was found to hold it against" in " ".join(text.split())


async def test_a_stop_before_the_first_word_promises_no_text(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        turn = await _turn(app, pilot)
        tell(turn, *beginning(), ending(events.AnswerStopped, ""))
        await pilot.pause()
        assert "Stopped. Nothing was written yet." in screen_text(app)


async def test_the_line_below_says_what_is_being_done_and_forgets_old_notices(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        turn = await _turn(app, pilot)
        tell(turn, *beginning())
        await pilot.pause()
        assert "The model reads what was found … Esc stops" in screen_text(app)
        await pilot.press(*"next", "enter")
        await pilot.pause()
        assert "still being written" in screen_text(app)
        tell(turn, *streamed(), ending())
        await pilot.pause()
        text = screen_text(app)
        assert "still being written" not in text
        assert "84.1 tokens/s" in text


async def test_a_click_opens_a_passage_and_the_keys_below_it_answer_clicks_too(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        turn = await _turn(app, pilot)
        tell(turn, *beginning((passage("glossary", "lantern"), passage("glossary", "moss"))))
        await pilot.pause()
        await pilot.click(Transcript, offset=(3, 2))
        await pilot.pause()
        assert "Text of lantern." in screen_text(app)
        await pilot.click(Transcript, offset=(3, 4))
        await pilot.pause()
        assert "Text of moss." in screen_text(app)
        await pilot.click("SidePane KeyBar", offset=(3, 0))
        await pilot.pause()
        assert "Text of lantern." in screen_text(app)
        await pilot.click("ChatScreen > KeyBar", offset=(screen_text(app).splitlines()[-1].index("F6"), 0))
        await pilot.pause()
        assert app.current_mode == "sessions"


async def test_a_terminal_too_small_says_so_and_nothing_typed_is_lost(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.press(*"mos")
        await pilot.resize_terminal(30, 9)
        await pilot.pause()
        await pilot.press("s")
        assert "Hexcore needs 40 columns, 12" in screen_text(app)
        assert "Question" not in screen_text(app)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "needs" not in screen_text(app)
        assert _prompt(app).text == "moss"
        assert app.focused is _prompt(app)


async def test_dragging_over_an_answer_selects_it_and_ctrl_c_copies_it(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        turn = await _turn(app, pilot)
        tell(turn, *beginning(), *streamed("The lantern decides it."), ending(text="The lantern decides it."))
        answer = Transcript
        # The transcript may still be scrolling to its end when the first drag begins.
        for _ in range(20):
            await pilot.pause()
            await pilot.mouse_down(answer, offset=(1, 10))
            await pilot.hover(answer, offset=(13, 10))
            await pilot.mouse_up(answer, offset=(13, 10))
            await pilot.press("ctrl+c")
            if app.clipboard.startswith("The lantern"):
                break
        assert app.clipboard.startswith("The lantern")
