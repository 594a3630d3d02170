"""`hexcore sessions`: conversations on disk."""

from __future__ import annotations

import argparse
import asyncio

from hexcore_engine.cli.command import CommandParser, Context, joined, nearest_of
from hexcore_engine.client.client import EngineClient
from hexcore_engine.errors import UsageError
from hexcore_engine.protocol import events, requests
from hexcore_engine.protocol.records import SessionRecord, to_builtins

# What each action takes.
ACTIONS = {
    "list": "",
    "search": "WORDS",
    "show": "ID",
    "rename": "ID TITLE",
    "delete": "ID",
    "undelete": "ID",
    "export": "ID [markdown|json]",
}
ACTIONS_HELP = ", ".join(f"{action} {words}".strip() for action, words in ACTIONS.items())


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument("action", nargs="?", default="list", help=ACTIONS_HELP)
    parser.add_argument(
        "session", nargs="?", help="a conversation's id, its beginning, or `last`; words to find"
    )
    parser.add_argument("rest", nargs="*", help="the new title, or the form of an export")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Carry out the action."""
    return asyncio.run(_run(arguments, context))


async def _run(arguments: argparse.Namespace, context: Context) -> int:
    request = _request(arguments)
    client = await EngineClient.connect(context.paths, context.settings, client_name="sessions")
    try:
        event = await client.call(request)
    finally:
        await client.close()
    context.output.result(_document(event), _text(event))
    nothing = isinstance(event, events.SessionsListed) and not event.sessions
    nothing = nothing or (isinstance(event, events.SessionsFound) and not event.hits)
    return int(nothing)


def _request(arguments: argparse.Namespace) -> requests.Request:
    rest = joined(arguments.rest)
    if arguments.action not in ACTIONS:
        raise UsageError(
            f"There is no `hexcore sessions {arguments.action}`.", nearest_of(arguments.action, list(ACTIONS))
        )
    if arguments.action == "list":
        return requests.ListSessions()
    if not arguments.session:
        raise UsageError("Neither a conversation nor words were given.", f"Known: {ACTIONS_HELP}.")
    if arguments.action == "search":
        return requests.SearchSessions(joined([arguments.session, *arguments.rest]))
    session = joined([arguments.session])
    made: dict[str, requests.Request] = {
        "show": requests.OpenSession(session),
        "rename": requests.RenameSession(session, rest),
        "delete": requests.DeleteSession(session),
        "undelete": requests.DeleteSession(session, undo=True),
        "export": requests.ExportSession(session, rest or "markdown"),
    }
    return made[arguments.action]


def _document(event: events.Event) -> object:
    document = to_builtins(event)
    document.pop("type", None)
    return document


def _text(event: events.Event) -> str:
    if isinstance(event, events.SessionsListed):
        return "\n".join(_line(entry) for entry in event.sessions) or "no conversations yet"
    if isinstance(event, events.SessionsFound):
        lines = [_line(hit.session) + f"\n    {hit.excerpt}" * bool(hit.excerpt) for hit in event.hits]
        return "\n".join(lines) or "nothing was said with these words"
    if isinstance(event, events.SessionOpened):
        lines = [f"{event.session.title}  ({event.session.session_id})"]
        for turn in event.turns:
            lines += ["", f"> {turn.question}", "", turn.response, f"[{turn.stop_reason or 'running'}]"]
        return "\n".join(lines)
    if isinstance(event, events.SessionExported):
        return event.text
    if isinstance(event, events.SessionChanged):
        return f"{event.session_id}: {event.change}"
    return ""


def _line(entry: SessionRecord) -> str:
    return f"{entry.session_id}  {entry.updated_at[:16]}  {entry.num_turns:>3}  {entry.title}"
