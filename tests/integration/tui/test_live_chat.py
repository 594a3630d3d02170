"""The app on a real engine with the scripted model, driven by the pilot."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable

import pytest
from textual.events import Key
from textual.message import Message
from textual.pilot import Pilot

from hexcore_engine.client.supervisor import engine_status
from hexcore_engine.data.demo import build_demo
from hexcore_engine.paths import Paths
from hexcore_engine.settings import load_settings
from hexcore_tui import messages
from hexcore_tui.app import HexcoreApp
from hexcore_tui.widgets.chat.prompt_input import PromptInput
from hexcore_tui.widgets.chat.transcript import Transcript
from hexcore_tui.widgets.chat.turn import Turn
from hexcore_tui.widgets.chat.turn_feed import TurnFeed
from hexcore_tui.widgets.sessions.session_list import SessionList

pytestmark = pytest.mark.slow

QUESTION = "Gravelmaw Titan has trample: how much damage must the blocker get?"
SLOW_TEXT = " ".join(f"word{number}" for number in range(3000))


@pytest.fixture(autouse=True)
def _room_for_long_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEXCORE_ANSWER_MAX_TOKENS", "3000")


def _app(paths: Paths) -> HexcoreApp:
    return HexcoreApp(paths, load_settings(paths.settings_file))


async def _until(done: Callable[[], bool], timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not done():  # noqa: ASYNC110 - the app tells its screen, not us
            await asyncio.sleep(0.02)


async def _ask(app: HexcoreApp, pilot: Pilot[int], question: str = QUESTION) -> Turn:
    app.chat.query_one(PromptInput).put(question)
    await pilot.press("enter")
    await _until(lambda: bool(app.chat.turns) and app.chat.turns[-1].question == question)
    return app.chat.turns[-1]


async def _begun(app: HexcoreApp, pilot: Pilot[int]) -> Turn:
    """A turn in the middle of SLOW_TEXT."""
    turn = await _ask(app, pilot)
    await _until(lambda: "word" in turn.answer)
    return turn


async def _answer(app: HexcoreApp, pilot: Pilot[int], question: str = QUESTION) -> Turn:
    turn = await _ask(app, pilot, question)
    await _until(lambda: not app.chat.answering)
    await pilot.pause()
    return turn


async def test_a_question_is_answered_in_messages_that_stream(
    engine_home: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", "40")
    seen: list[Message] = []
    app = _app(engine_home)
    async with app.run_test(message_hook=seen.append) as pilot:
        turn = await _answer(app, pilot)
        assert (turn.passages or ())[0].id == "Gravelmaw Titan"
        assert turn.answer
        assert {citation.status for citation in turn.citations} <= {"quoted", "retrieved"}
        assert app.facts.model is not None
    kinds = [type(message) for message in seen]
    order = [
        messages.AnswerAccepted,
        messages.AnswerRouted,
        messages.EvidenceFound,
        messages.AnswerPlanned,
        messages.AnswerTextArrived,
        messages.AnswerEnded,
        TurnFeed.Finished,
    ]
    assert [kind for kind in dict.fromkeys(kinds) if kind in order] == order
    assert kinds.count(messages.AnswerTextArrived) >= 3


async def test_the_answer_streams_in_pieces_80_ms_apart_that_begin_before_it_is_finished(
    engine_home: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", "40")
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", " ".join(f"word{number}" for number in range(40)))
    arrived: dict[int, float] = {}
    ended: list[float] = []

    def watch(message: Message) -> None:
        if isinstance(message, messages.AnswerTextArrived):
            arrived.setdefault(message.event.sequence, time.monotonic())
        elif isinstance(message, messages.AnswerEnded):
            ended.append(time.monotonic())

    app = _app(engine_home)
    async with app.run_test(message_hook=watch) as pilot:
        await _answer(app, pilot)
    apart: list[float] = []
    for at in arrived.values():
        if not apart or at - apart[-1] >= 0.08:
            apart.append(at)
    assert len(apart) >= 3
    assert ended[0] - apart[0] >= 2 * 0.08


async def test_two_apps_share_one_engine_and_each_gets_its_own_answer(engine_home: Paths) -> None:
    first, second = _app(engine_home), _app(engine_home)
    async with first.run_test() as one, second.run_test() as two:
        asked = await _ask(first, one)
        other = await _ask(second, two, "What about flying?")
        await _until(lambda: not first.chat.answering and not second.chat.answering)
        assert asked.answer
        assert other.answer
        assert asked.session_id != other.session_id
        status = await engine_status(engine_home)
        assert status is not None
        assert status.clients >= 2


async def test_deleting_the_conversation_one_is_in_starts_a_new_one(engine_home: Paths) -> None:
    app = _app(engine_home)
    async with app.run_test() as pilot:
        turn = await _answer(app, pilot)
        await pilot.press("f6")
        await _until(lambda: app.screen.query_one(SessionList).num_rows == 1)
        await pilot.press("ctrl+x")
        await _until(lambda: app.chat.turns == [])
        await pilot.press("f2")
        again = await _answer(app, pilot, "What about flying?")
        assert again.session_id != turn.session_id


async def test_what_set_up_brings_is_seen_when_one_comes_back_to_the_chat(
    empty_home: Paths,
) -> None:
    app = _app(empty_home)
    async with app.run_test() as pilot:
        await _until(lambda: "Nothing is set up yet" in " ".join(app.missing))
        await _until(lambda: app.bridge.connected)
        build_demo(empty_home.knowledge_dir)
        await pilot.press("f5", "f2")
        await _until(lambda: bool(app.facts.num_cards))
        assert "Nothing is set up yet" not in " ".join(app.missing)


async def test_a_follow_up_goes_into_the_same_conversation_and_a_new_one_does_not(engine_home: Paths) -> None:
    app = _app(engine_home)
    async with app.run_test() as pilot:
        first = await _answer(app, pilot)
        second = await _answer(app, pilot, "And with deathtouch?")
        assert second.session_id == first.session_id
        await pilot.press("ctrl+n")
        await pilot.pause()
        third = await _answer(app, pilot, "What about flying?")
        assert third.session_id != first.session_id


async def test_escape_stops_from_another_screen_and_keeps_what_was_written(
    engine_home: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", SLOW_TEXT)
    app = _app(engine_home)
    async with app.run_test() as pilot:
        turn = await _begun(app, pilot)
        await pilot.press("f6")
        await pilot.press("escape")
        await _until(lambda: not app.chat.answering)
        assert turn.answer.startswith("word")
        assert len(turn.answer) < len(SLOW_TEXT)
        assert app.current_mode == "sessions"


async def test_a_lost_engine_leaves_the_part_on_the_screen_and_the_next_question_starts_another(
    engine_home: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", SLOW_TEXT)
    app = _app(engine_home)
    async with app.run_test() as pilot:
        turn = await _begun(app, pilot)
        status = await engine_status(engine_home)
        assert status is not None
        assert status.pid is not None
        os.kill(status.pid, signal.SIGKILL)
        await _until(lambda: not app.chat.answering)
        assert "word" in turn.answer
        assert "Ask again" in app.chat.problem
        monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", "Back again.")
        again = await _answer(app, pilot, "Are you there?")
        assert "Back again." in again.answer
        assert app.chat.problem == ""


async def test_an_engine_that_left_while_idle_is_started_by_the_next_question(engine_home: Paths) -> None:
    app = _app(engine_home)
    async with app.run_test() as pilot:
        await _answer(app, pilot)
        status = await engine_status(engine_home)
        assert status is not None
        assert status.pid is not None
        os.kill(status.pid, signal.SIGKILL)
        turn = await _answer(app, pilot, "Once more?")
        assert turn.answer


async def test_conversations_are_listed_renamed_deleted_brought_back_and_reopened(engine_home: Paths) -> None:
    app = _app(engine_home)
    async with app.run_test() as pilot:
        turn = await _answer(app, pilot)
        await pilot.press("f6")
        listed = app.screen.query_one(SessionList)
        await _until(lambda: listed.num_rows == 1)
        await pilot.press("ctrl+r", "ctrl+u", *"lantern", "enter")
        await _until(lambda: listed.marked is not None and "lantern" in listed.marked.session.title)
        await pilot.press("ctrl+x")
        await _until(lambda: listed.num_rows == 0)
        await pilot.press("ctrl+z")
        await _until(lambda: listed.num_rows == 1)
        await pilot.press("f2", "ctrl+n")
        await pilot.pause()
        assert app.chat.turns == []
        await pilot.press("f6")
        await _until(lambda: listed.num_rows == 1)
        await pilot.press("enter")
        await _until(lambda: len(app.chat.turns) == 1 and bool(app.chat.turns[0].answer))
        assert app.chat.turns[0].answer == turn.answer
        assert app.chat.turns[0].passages == turn.passages


async def test_memory_is_watched_until_told_otherwise(
    engine_home: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCREEN_MEMORY_INTERVAL_S", "0.2")
    seen: list[type[Message]] = []
    app = _app(engine_home)
    async with app.run_test(message_hook=lambda message: seen.append(type(message))) as pilot:
        await pilot.press("f5")
        await _until(lambda: seen.count(messages.MemoryArrived) >= 3)
        await pilot.press("f2")
        await _until(lambda: app.current_mode == "chat")
        await pilot.pause()
        before = seen.count(messages.MemoryArrived)
        # An answer takes several intervals; one look may have been on its way.
        await _answer(app, pilot)
        assert seen.count(messages.MemoryArrived) <= before + 1


async def test_retrying_and_editing_answer_anew_in_a_branch_and_the_old_line_stays(
    engine_home: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Message] = []
    app = _app(engine_home)
    async with app.run_test(message_hook=seen.append) as pilot:
        first = await _answer(app, pilot)
        second = await _answer(app, pilot, "And with deathtouch?")
        await pilot.press("up", "r")
        await _until(lambda: app.chat.turns[-1] is not second and not app.chat.answering)
        retried = app.chat.turns[-1]
        assert [turn.question for turn in app.chat.turns] == [QUESTION, "And with deathtouch?"]
        assert retried.answer
        assert retried.session_id not in (None, second.session_id)
        await pilot.press("up", "e", *" again", "enter")
        await _until(lambda: app.chat.turns[-1].question == "And with deathtouch? again")
        await _until(lambda: not app.chat.answering)
        assert app.chat.turns[0].answer == first.answer
        await pilot.press("f6")
        await _until(lambda: app.screen.query_one(SessionList).num_rows == 3)
    kinds = [type(message) for message in seen]
    order = [
        Transcript.Asked,
        messages.SessionArrived,
        messages.AnswerAccepted,
        messages.AnswerEnded,
        TurnFeed.Finished,
    ]
    after = kinds[kinds.index(Transcript.Asked) :]
    assert [kind for kind in dict.fromkeys(after) if kind in order] == order


async def test_a_stopped_answer_is_gone_on_with_from_the_same_evidence(
    engine_home: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", SLOW_TEXT)
    app = _app(engine_home)
    async with app.run_test() as pilot:
        turn = await _begun(app, pilot)
        await pilot.press("escape")
        await _until(lambda: not app.chat.answering)
        await pilot.press("up", "c")
        await _until(lambda: app.chat.turns[-1] is not turn and bool(app.chat.turns[-1].answer))
        more = app.chat.turns[-1]
        assert more.passages == turn.passages
        assert more.session_id == turn.session_id
        await pilot.press("escape")
        await _until(lambda: not app.chat.answering)


async def test_the_questions_of_earlier_conversations_come_back_with_up(engine_home: Paths) -> None:
    first = _app(engine_home)
    async with first.run_test() as pilot:
        await _answer(first, pilot)
    again = _app(engine_home)
    async with again.run_test() as pilot:
        prompt = again.chat.query_one(PromptInput)
        await _until(lambda: bool(prompt.earlier("trample")))
        await pilot.press("up")
        assert prompt.text == QUESTION


async def test_what_is_typed_while_a_branch_is_made_is_neither_lost_nor_asked_elsewhere(
    engine_home: Paths,
) -> None:
    app = _app(engine_home)
    async with app.run_test(size=(100, 40)) as pilot:
        await _answer(app, pilot)
        old = await _answer(app, pilot, "And with deathtouch?")
        await pilot.press("up", "e")
        app.chat.query_one(PromptInput).put("And with flying?")
        for key in ("enter", *"moss", "enter"):
            app.post_message(Key(key, "\r" if key == "enter" else key))
        await _until(lambda: app.chat.turns[-1].question == "And with flying?")
        assert app.chat.query_one(PromptInput).text == "moss"
        assert "stays in a conversation of its own" in app.chat._status.notice
        await _until(lambda: not app.chat.answering)
        assert app.chat.turns[-1].session_id not in (None, old.session_id)


async def test_a_new_conversation_begun_while_a_branch_is_made_stays_empty(engine_home: Paths) -> None:
    app = _app(engine_home)
    async with app.run_test(size=(100, 40)) as pilot:
        await _answer(app, pilot)
        await _answer(app, pilot, "And with deathtouch?")
        await pilot.press("up", "e")
        app.chat.query_one(PromptInput).put("And with flying?")
        app.post_message(Key("enter", "\r"))
        app.post_message(Key("ctrl+n", None))
        await _until(lambda: not app.chat.turns)
        await pilot.pause(0.5)
        assert not app.chat.turns
        assert app.chat._session_id is None
        assert app.chat.query_one(PromptInput).earlier("flying") == ["And with flying?"]


async def test_stopping_a_question_does_not_stop_one_let_go_just_before(
    engine_home: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", SLOW_TEXT)
    seen: list[Message] = []
    app = _app(engine_home)
    async with app.run_test(message_hook=seen.append) as pilot:
        await _until(lambda: app.bridge.connected)
        app.chat._submit("How does trample work?")
        app.chat.action_new_session()
        app.chat._submit(QUESTION)
        app.chat.stop_answer()
        await _until(lambda: not app.chat.answering)
        await pilot.pause()
        assert app.chat.turns[-1].question == QUESTION
        ended = [message.event for message in seen if isinstance(message, messages.AnswerEnded)]
        assert [type(event).__name__ for event in ended] == ["AnswerStopped"] * len(ended)
