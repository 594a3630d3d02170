"""The list of conversations keeps its mark with the conversation, not with the line."""

from __future__ import annotations

from collections.abc import Callable

from textual.pilot import Pilot

from hexcore_engine.protocol import events
from hexcore_engine.protocol.records import ErrorRecord, SessionHit, SessionRecord
from hexcore_tui import messages
from hexcore_tui.app import HexcoreApp
from hexcore_tui.widgets.sessions.session_list import SessionList
from hexcore_tui.widgets.shared.query_input import QueryInput

from .conftest import until

MakeApp = Callable[[], HexcoreApp]


def session(name: str) -> SessionRecord:
    return SessionRecord(name, f"Question {name}", "2026-01-01", "2026-01-01T09:30:00", 1)


async def list_sessions(app: HexcoreApp, pilot: Pilot[int], names: str) -> str:
    """Post a list and return which conversation is marked in it."""
    records = tuple(session(name) for name in names)
    app.screen.post_message(messages.SessionsArrived(events.SessionsListed(records)))
    await pilot.pause()
    return marked(app)


def marked(app: HexcoreApp) -> str:
    hit = app.screen.query_one(SessionList).marked
    return hit.session.session_id if hit else ""


async def test_the_mark_stays_with_its_conversation_when_the_list_is_ordered_anew(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f6")
        await until(app, pilot, "No engine")
        assert await list_sessions(app, pilot, "abc") == "a"
        await pilot.press("down")
        assert await list_sessions(app, pilot, "cab") == "b"
        # Where it is gone, the mark stays in its place.
        assert await list_sessions(app, pilot, "ca") == "a"


async def test_other_words_mark_the_first_that_they_find(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f6")
        await until(app, pilot, "No engine")
        await list_sessions(app, pilot, "abc")
        await pilot.press("down")
        app.screen.query_one(QueryInput).value = "lamp"
        hits = tuple(SessionHit(session(name), "a lamp") for name in "cb")
        app.screen.post_message(messages.SessionHitsArrived(events.SessionsFound("lamp", hits)))
        await pilot.pause()
        assert marked(app) == "c"


async def test_what_is_refused_here_is_no_problem_of_the_chat(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f6")
        await until(app, pilot, "No engine")
        error = ErrorRecord("HX-SESSION", "There is no such conversation.", "See the list.")
        app.screen.post_message(messages.RequestRefused(error))
        await until(app, pilot, "There is no such conversation.")
        assert "no such conversation" not in app.chat.problem
