"""`hexcore-tui --plain`: questions and look-ups line by line, for screen readers.

Nothing is drawn, moved or taken back: each line is printed once. The engine, its conversations and the
knowledge files are the app's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from hexcore_engine.errors import HexcoreError
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events, requests
from hexcore_engine.protocol.limits import check_question
from hexcore_engine.protocol.records import ModeName, SessionRecord
from hexcore_engine.settings import Settings
from hexcore_engine.utils.streams import take_any_bytes
from hexcore_engine.utils.validation import clean_line, clean_text
from hexcore_tui.facts import read_knowledge
from hexcore_tui.plain_answer import AnswerLines
from hexcore_tui.widgets.chat.prompt_commands import ModeChange, read_command

if TYPE_CHECKING:
    from hexcore_engine.client.client import EngineClient
    from hexcore_engine.knowledge.lookup import Knowledge

MAX_ROWS = 20
PROMPT = "Question: "
HELP = (
    "A line is a question. Control C stops its answer, once more leaves it to the engine.",
    "A line that starts with a slash does something else:",
    "/rule 702.19b: read a rule with what is around it.",
    "/rules WORDS: find rules.",
    "/term WORD: read a term of the glossary.",
    "/card NAME: read a card.",
    "/cards QUERY: find cards, such as t:dragon pow>4.",
    "/sessions: list conversations. /sessions WORDS: find those in which the words were said.",
    "/open ID: go on with a conversation, after reading it. /new: begin another.",
    "/mode teach: choose the mode of the next answers. /mode auto: let each question decide.",
    "/quit, or Control D: leave.",
)


class _StopByKey:
    """Control C while an answer is written: it stops that answer; once more, it is no longer waited for."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._waiting = asyncio.current_task()
        self._question_id = ""
        self._wanted = False
        self._sent: asyncio.Task[events.Event] | None = None

    def pressed(self) -> None:
        """Stop, or leave."""
        if self._wanted and self._waiting is not None:
            self._waiting.cancel()
        else:
            say("\nStopping. Control C once more leaves the answer to the engine.")
        self._wanted = True
        self._send()

    def notice(self, event: events.Event) -> None:
        """Learn the answer's id: without one, another window's answer would be stopped."""
        if isinstance(event, events.QuestionAccepted):
            self._question_id = event.question_id
            self._send()

    def _send(self) -> None:
        if self._wanted and self._question_id and self._sent is None:
            self._sent = asyncio.create_task(self._client.call(requests.StopAnswer(self._question_id)))


class PlainLoop:
    """Reads lines and answers each before the next."""

    def __init__(self, paths: Paths, settings: Settings) -> None:
        self._paths = paths
        self._settings = settings
        self._client: EngineClient | None = None
        self._knowledge: Knowledge | None = None
        self._session_id: str | None = None
        self._mode: ModeName | None = None
        self._commands: dict[str, Callable[[str], object]] = {
            "/help": lambda _: say("\n".join(HELP)),
            "/rule": self._read_rule,
            "/rules": self._find_rules,
            "/term": self._read_term,
            "/card": self._read_card,
            "/cards": self._find_cards,
            "/sessions": lambda words: self._run(self._list_sessions(words)),
            "/open": lambda words: self._run(self._open(words)),
            "/new": lambda _: self._begin_anew(),
            "/mode": lambda words: self._choose_mode(f"/mode {words}"),
        }
        self._runner = asyncio.Runner()

    def run(self) -> int:
        """Read until the end of the input; return the exit code 0."""
        say("Hexcore. Type a question, or /help.")
        say("\n".join(read_knowledge(self._paths.knowledge_dir).missing))
        with self._runner:
            while (line := _next_line()) is not None:
                try:
                    self._take(clean_line(line))
                except HexcoreError as error:
                    say(f"{error.message} {error.remedy}")
                except (KeyboardInterrupt, asyncio.CancelledError):
                    say("Not waited for any longer. The engine goes on and keeps what it writes: /open last.")
            if self._client is not None:
                self._run(self._client.close())
        return 0

    def _take(self, line: str) -> None:
        command, _space, words = line.partition(" ")
        if not line:
            return
        if not line.startswith("/"):
            check_question(line)
            self._run(self._ask(line))
        elif command in self._commands:
            self._commands[command](words.strip())
        else:
            near = difflib.get_close_matches(command, self._commands, n=1)
            say(f"There is no {command}. {f'Did you mean {near[0]}?' if near else '/help lists all.'}")

    def _run(self, work: object) -> None:
        self._runner.run(work)  # type: ignore[arg-type]

    # -- the engine

    async def _connected(self) -> EngineClient:
        if self._client is None:
            from hexcore_engine.client.client import EngineClient

            self._client = await EngineClient.connect(self._paths, self._settings, client_name="tui")
        return self._client

    async def _ask(self, question: str) -> None:
        client = await self._connected()
        lines = AnswerLines(say)
        stop = _StopByKey(client)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, stop.pressed)
        ask = requests.AskQuestion(question, session_id=self._session_id, mode=self._mode)
        try:
            async for event in client.stream(ask):
                stop.notice(event)
                lines.take(event)
        except HexcoreError:
            # The next question finds an engine again, or says why there is none.
            self._client = None
            raise
        finally:
            loop.remove_signal_handler(signal.SIGINT)
        self._session_id = lines.session_id or self._session_id

    async def _call(self, request: requests.Request) -> events.Event:
        client = await self._connected()
        try:
            return await client.call(request)
        except HexcoreError:
            self._client = None
            raise

    async def _list_sessions(self, words: str) -> None:
        request = requests.SearchSessions(words, MAX_ROWS) if words else requests.ListSessions(MAX_ROWS)
        event = await self._call(request)
        if isinstance(event, events.SessionsListed):
            _say_rows([session_line(session) for session in event.sessions], "No conversation is stored yet.")
        elif isinstance(event, events.SessionsFound):
            rows = [f"{session_line(hit.session)} {hit.excerpt}" for hit in event.hits]
            _say_rows(rows, "Nothing was said with these words.")

    async def _open(self, session_id: str) -> None:
        event = await self._call(requests.OpenSession(session_id or "last"))
        if isinstance(event, events.SessionOpened):
            self._session_id = event.session.session_id
            for turn in event.turns:
                say(f"You asked: {turn.question}")
                say(turn.response or "There is no answer.")
            say("The next question goes on with this conversation.")

    def _begin_anew(self) -> None:
        self._session_id = None
        say("A new conversation.")

    def _choose_mode(self, line: str) -> None:
        change = read_command(line)
        if isinstance(change, ModeChange) and change.problem:
            say(change.problem)
        elif isinstance(change, ModeChange):
            self._mode = change.mode
            say(f"Mode {(change.mode or 'auto').lower()}.")

    # -- look-ups

    @property
    def _looked_up(self) -> Knowledge:
        if self._knowledge is None:
            from hexcore_engine.knowledge.lookup import Knowledge

            self._knowledge = Knowledge(self._paths.knowledge_dir)
        return self._knowledge

    def _read_rule(self, number: str) -> None:
        from hexcore_tui.widgets.rules.rule_view import read_rule

        say(read_rule(self._looked_up, number)[1].content.plain)

    def _find_rules(self, words: str) -> None:
        from hexcore_tui.widgets.rules.findings import find_rules

        found = find_rules(self._looked_up, words) if words else ()
        rows = [f"{finding.label}: {finding.text}" for finding in found]
        if len(rows) > MAX_ROWS:
            say(f"More was found than the {MAX_ROWS} that follow; more words narrow it.")
        _say_rows(rows[:MAX_ROWS], "Nothing was found.")

    def _read_term(self, term: str) -> None:
        from hexcore_tui.widgets.rules.findings import glossary_document

        entries = self._looked_up.glossary(term) if term else ()
        for entry in entries:
            say(glossary_document(entry).content.plain)
        if not entries:
            nearest = ", ".join(self._looked_up.nearest_terms(term)) if term else ""
            say(f"The glossary has no such term.{f' Did you mean {nearest}?' if nearest else ''}")

    def _read_card(self, name: str) -> None:
        from hexcore_tui.widgets.cards.card_view import read_card

        say(read_card(self._looked_up, name)[1].content.plain)

    def _find_cards(self, query: str) -> None:
        found = self._looked_up.find_cards(query, MAX_ROWS)
        for problem in (*found.ignored, *([found.error.message] if found.error else [])):
            say(f"Left out: {problem}")
        rows = [f"{hit.name}, {hit.type_line}, {hit.mana_cost or 'no cost'}" for hit in found.hits]
        _say_rows(rows, "No card was found.", found.total)


def run_plain(paths: Paths, settings: Settings) -> int:
    """Read questions from stdin and print answers, line by line; return the exit code."""
    take_any_bytes()
    return PlainLoop(paths, settings).run()


def say(text: str) -> None:
    """Print cleaned lines, none of them empty."""
    lines = (line.rstrip() for line in clean_text(text).splitlines())
    sys.stdout.write("".join(f"{line}\n" for line in lines if line))
    sys.stdout.flush()


def session_line(session: SessionRecord) -> str:
    """Return a conversation as a line that begins with what `/open` takes."""
    return f"{session.session_id}, {session.updated_at[:10]}: {session.title}."


def _say_rows(rows: list[str], nothing: str, total: int = 0) -> None:
    if not rows:
        say(nothing)
        return
    say(f"{len(rows)} of {total}:" if total > len(rows) else f"{len(rows)}:")
    for row in rows:
        say(clean_line(row))


def _next_line() -> str | None:
    """Read a line; None at the end of the input. Control C begins a new line."""
    if sys.stdin.isatty():
        with contextlib.suppress(ImportError):
            # Lets a person edit the line and bring earlier ones back.
            import readline  # noqa: F401
    while True:
        try:
            line = input(PROMPT if sys.stdin.isatty() else "")
        except EOFError:
            return None
        except KeyboardInterrupt:
            say("\nControl D leaves.")
            continue
        return None if line.strip() in ("/quit", "/exit") else line
