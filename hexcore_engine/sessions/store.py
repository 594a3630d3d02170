"""Conversations on disk: one SQLite file in WAL mode, written by the engine alone.

An answer is appended while it streams; what a dead engine left unfinished is marked so at the next opening.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from hexcore_engine.errors import SessionError
from hexcore_engine.protocol.records import SessionHit, SessionRecord, TurnRecord
from hexcore_engine.sessions.rows import JSON_COLUMNS, session_of, turn_of
from hexcore_engine.sessions.schema import migrate
from hexcore_engine.utils.validation import clean_line

MAX_TITLE_CHARACTERS = 80
LAST = "last"
BRANCH_MARK = " (branch)"
# SQLite's limit that is none.
ALL = -1
# `deleted` is the moment of deleting in seconds since 1970, 0 for what is there.
KEEP_DELETED_S = 7 * 86_400
_DAMAGE_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
_PLAIN_COLUMNS = ("response", "stop_reason", "rules_release", "model", "sent")


class SessionStore:
    """All conversations; safe to use from several threads."""

    def __init__(self, file: Path) -> None:
        """Open or make the file; a damaged one is kept aside and a new one begun.

        Raises:
            SessionError: when it can't be opened or was written by a newer version.
        """
        self._file = file
        self._lock = threading.RLock()
        self.damaged_file: Path | None = None
        self._connection = self._open()
        self._mark_unfinished()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def create(self, title: str) -> str:
        """Begin a conversation and return its id."""
        session_id = secrets.token_hex(6)
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO session VALUES (?, ?, ?, ?,"
                " (SELECT COALESCE(MAX(sequence), 0) + 1 FROM session), 0)",
                (session_id, _title(title), _now(), _now()),
            )
        return session_id

    def latest(self) -> str | None:
        """Return the id of the conversation written to last."""
        row = self._read("SELECT session_id FROM session WHERE NOT deleted ORDER BY sequence DESC LIMIT 1")
        return str(row[0][0]) if row else None

    def resolve(self, session_id: str, even_deleted: bool = False) -> str:
        """Return the full id of a conversation named by its id, an unambiguous beginning of it, or "last"; of
        a deleted one too when `even_deleted`.

        Raises:
            SessionError: when there is none, or several.
        """
        if session_id == LAST:
            latest = self.latest()
            if latest is None:
                raise SessionError("There is no conversation yet.", "Ask a question first.")
            return latest
        rows = self._read(
            "SELECT session_id, deleted FROM session WHERE substr(session_id, 1, ?) = ?",
            (len(session_id), session_id),
        )
        found = [str(name) for name, deleted in rows if even_deleted or not deleted]
        if len(found) == 1 and session_id:
            return found[0]
        if rows and not found and session_id:
            raise SessionError(
                f"The conversation {clean_line(session_id)!r} was deleted.",
                "`hexcore sessions undelete ID` brings it back, up to a week later; or begin another.",
            )
        what = "There are several conversations" if found else "There is no conversation"
        raise SessionError(f"{what} {clean_line(session_id)!r}.")

    def begin_turn(self, session_id: str, question: str) -> int:
        """Store a question and return its turn id."""
        with self._writing() as connection:
            cursor = connection.execute(
                "INSERT INTO turn (session_id, question, asked_at) VALUES (?, ?, ?)",
                (session_id, question, _now()),
            )
            self._touch(connection, session_id)
        return int(cursor.lastrowid or 0)

    def update_turn(self, turn_id: int, **fields: Any) -> None:
        """Store fields of a `TurnRecord` by their names."""
        unknown = set(fields) - set(_PLAIN_COLUMNS) - set(JSON_COLUMNS)
        if unknown:
            raise ValueError(f"a turn has no fields {sorted(unknown)} to update")
        columns = [f"{name} = ?" for name in fields]
        values = [
            msgspec.json.encode(value).decode() if name in JSON_COLUMNS else value
            for name, value in fields.items()
        ]
        with self._writing() as connection:
            # Column names come from the two tables above, never from outside.
            statement = f"UPDATE turn SET {', '.join(columns)} WHERE turn_id = ?"  # noqa: S608
            connection.execute(statement, (*values, turn_id))

    def session(self, session_id: str) -> SessionRecord:
        """Return one conversation without its turns."""
        resolved = self.resolve(session_id)
        return self._sessions("WHERE s.session_id = ?", (resolved,))[0]

    def list_sessions(self, limit: int = 200) -> tuple[SessionRecord, ...]:
        """Return conversations, newest first."""
        return self._sessions("WHERE NOT s.deleted", (), limit)

    def search(self, words: str, limit: int = 50) -> tuple[SessionHit, ...]:
        """Return the conversations in which all of `words` were said in one turn, or that are titled so,
        newest first."""
        from hexcore_engine.sessions.search import find_said, find_titles, marked

        excerpts, num_found = find_said(self._read, words)
        wanted = excerpts.keys() | find_titles(self._read, words)
        sessions = self.list_sessions(ALL) if wanted else ()
        hits = (
            SessionHit(entry, *marked(excerpts.get(entry.session_id, "")), num_found[entry.session_id])
            for entry in sessions
            if entry.session_id in wanted
        )
        return tuple(islice(hits, limit))

    def turns(self, session_id: str) -> tuple[TurnRecord, ...]:
        """Return the turns of a conversation, oldest first."""
        rows = self._read(
            "SELECT turn_id, question, mode, passages, response, citations, usage, stop_reason,"
            " rules_release, model, asked_at, error, notes, sent"
            " FROM turn WHERE session_id = ? ORDER BY turn_id",
            (session_id,),
        )
        return tuple(turn_of(row) for row in rows)

    def told_turns(self, session_id: str, before: int = 0) -> tuple[TurnRecord, ...]:
        """Return the turns a follow-up repeats, oldest first: those before turn `before` (0: all) that a
        model was asked about and answered with at least a word. Without evidence, citations and figures."""
        rows = self._read(
            "SELECT turn_id, question, NULL, '[]', response, '[]', NULL, stop_reason,"
            " rules_release, model, asked_at, NULL, '[]', sent"
            " FROM turn WHERE session_id = ? AND (? = 0 OR turn_id < ?) AND sent != '' AND response != ''"
            " ORDER BY turn_id",
            (session_id, before, before),
        )
        return tuple(turn_of(row) for row in rows)

    def rename(self, session_id: str, title: str) -> None:
        """Give a conversation another title."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE session SET title = ? WHERE session_id = ?", (_title(title), self.resolve(session_id))
            )

    def delete(self, session_id: str, undo: bool = False) -> str:
        """Hide a conversation, or bring it back ("last": the one hidden last), and return its id. Hidden ones
        are removed when the file is opened a week later.

        Raises:
            SessionError: when there is none.
        """
        resolved = self._last_deleted() if undo and session_id == LAST else self.resolve(session_id, undo)
        with self._writing() as connection:
            connection.execute(
                # Later than those hidden before, also when the clock was put back meanwhile.
                "UPDATE session SET deleted = CASE WHEN ? THEN 0 ELSE"
                " MAX(?, (SELECT MAX(deleted) + 0.001 FROM session)) END WHERE session_id = ?",
                (undo, time.time(), resolved),
            )
        return resolved

    def branch(self, session_id: str, before_turn_id: int) -> str:
        """Begin a conversation with the turns of another before one of them; return its id.

        Raises:
            SessionError: when the conversation has no such turn.
        """
        session = self.session(session_id)
        if not self._read(
            "SELECT 1 FROM turn WHERE session_id = ? AND turn_id = ?", (session.session_id, before_turn_id)
        ):
            raise SessionError(f"That conversation has no turn {before_turn_id}.")
        branch = self.create(f"{session.title.removesuffix(BRANCH_MARK)}{BRANCH_MARK}")
        columns = ", ".join(name for name in TurnRecord.__struct_fields__ if name != "turn_id")
        with self._writing() as connection:
            connection.execute(
                # The names are those of our own record.
                f"INSERT INTO turn (session_id, {columns}) SELECT ?, {columns} FROM turn"  # noqa: S608
                " WHERE session_id = ? AND turn_id < ? ORDER BY turn_id",
                (branch, session.session_id, before_turn_id),
            )
        return branch

    def questions(self, limit: int) -> tuple[str, ...]:
        """Return the questions of all conversations, each once, newest first."""
        rows = self._read(
            "SELECT question FROM turn JOIN session USING (session_id) WHERE NOT deleted"
            " GROUP BY question ORDER BY MAX(turn_id) DESC LIMIT ?",
            (limit,),
        )
        return tuple(str(row[0]) for row in rows)

    def export(self, session_id: str, form: str = "markdown") -> str:
        """Return a conversation as "markdown" or "json"."""
        from hexcore_engine.sessions.export import export_session

        session = self.session(session_id)
        return export_session(session, self.turns(session.session_id), form)

    # -- inside

    def _open(self) -> sqlite3.Connection:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            return self._connect()
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            # The latter is how a damaged table is complained of whose definition is no text any more.
            if isinstance(error, sqlite3.OperationalError):
                raise self._unusable(error) from error
            self.damaged_file = self._keep_aside()
            return self._connect()
        except OSError as error:
            raise self._unusable(error) from error

    def _connect(self) -> sqlite3.Connection:
        # Nobody else writes here; a program that looks in by hand must not hold the engine up.
        connection = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False, timeout=1)
        # A damaged letter must not keep the rest of its conversation from being read.
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        try:
            connection.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
            )
            migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _keep_aside(self) -> Path:
        aside = self._file.with_name(f"{self._file.name}.{secrets.token_hex(3)}.damaged")
        self._file.rename(aside)
        # The newest turns may stand in the log alone.
        with contextlib.suppress(FileNotFoundError):
            Path(f"{self._file}-wal").rename(f"{aside}-wal")
        Path(f"{self._file}-shm").unlink(missing_ok=True)
        return aside

    def _unusable(self, error: Exception) -> SessionError:
        return SessionError(f"The conversations in {self._file} can't be opened: {error}.")

    def _mark_unfinished(self) -> None:
        with self._writing() as connection:
            connection.execute("UPDATE turn SET stop_reason = 'engine_lost' WHERE stop_reason IS NULL")
            # A clock that was put back would keep them for longer than was said.
            connection.execute("UPDATE session SET deleted = ? WHERE deleted > ?", (time.time(), time.time()))
            connection.execute(
                "DELETE FROM session WHERE deleted AND deleted < ?", (time.time() - KEEP_DELETED_S,)
            )

    def _last_deleted(self) -> str:
        rows = self._read("SELECT session_id FROM session WHERE deleted ORDER BY deleted DESC LIMIT 1")
        if not rows:
            raise SessionError("There is no deleted conversation.", "A deleted one is kept for a week.")
        return str(rows[0][0])

    def _touch(self, connection: sqlite3.Connection, session_id: str) -> None:
        connection.execute(
            "UPDATE session SET updated_at = ?, sequence = (SELECT MAX(sequence) + 1 FROM session)"
            " WHERE session_id = ?",
            (_now(), session_id),
        )

    def _sessions(self, where: str, parameters: tuple[Any, ...], limit: int = 1) -> tuple[SessionRecord, ...]:
        rows = self._read(
            # `where` is one of two fixed texts of this file.
            "SELECT s.session_id, s.title, s.created_at, s.updated_at, COUNT(t.turn_id),"  # noqa: S608
            " COALESCE(SUM(t.turn_id IS NOT NULL AND t.stop_reason IS NULL), 0)"
            f" FROM session s LEFT JOIN turn t USING (session_id) {where}"
            " GROUP BY s.session_id ORDER BY s.sequence DESC LIMIT ?",
            (*parameters, limit),
        )
        return tuple(session_of(row) for row in rows)

    def _read(self, statement: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        with self._lock, self._errors():
            return self._connection.execute(statement, parameters).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:
            reason, remedy = str(error), None
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE_CODES:
                remedy = f"`hexcore engine stop`, then move {self._file} elsewhere: a new one is begun."
            raise SessionError(
                f"The conversations in {self._file} can't be read or written: {reason}.", remedy
            ) from error


def _title(title: str) -> str:
    line = clean_line(title)
    if len(line) > MAX_TITLE_CHARACTERS:
        line = line[: MAX_TITLE_CHARACTERS - 1].rstrip() + "…"
    return line or "untitled"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
