"""The sessions file's tables, version by version; `PRAGMA user_version` says how far a file has come."""

from __future__ import annotations

import sqlite3

from hexcore_engine.errors import SessionError

# One script a version, never changed once released.
MIGRATIONS = (
    """
    CREATE TABLE session (
        session_id TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        deleted INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE turn (
        turn_id INTEGER PRIMARY KEY AUTOINCREMENT,
        session_id TEXT NOT NULL REFERENCES session(session_id) ON DELETE CASCADE,
        question TEXT NOT NULL,
        asked_at TEXT NOT NULL,
        response TEXT NOT NULL DEFAULT '',
        stop_reason TEXT,
        rules_release TEXT,
        model TEXT,
        sent TEXT NOT NULL DEFAULT '',
        mode TEXT,
        passages TEXT NOT NULL DEFAULT '[]',
        citations TEXT NOT NULL DEFAULT '[]',
        usage TEXT,
        error TEXT,
        notes TEXT NOT NULL DEFAULT '[]'
    );
    CREATE INDEX turn_of_session ON turn(session_id, turn_id);
    """,
    # An answer is indexed when it ends: doing it with each piece of a stream would index it many times.
    """
    CREATE VIRTUAL TABLE said USING fts5(
        question, response, tokenize = "porter unicode61 remove_diacritics 2"
    );
    INSERT INTO said (rowid, question, response) SELECT turn_id, question, response FROM turn;
    CREATE TRIGGER turn_begun AFTER INSERT ON turn BEGIN
        INSERT INTO said (rowid, question, response) VALUES (new.turn_id, new.question, new.response);
    END;
    CREATE TRIGGER turn_ended AFTER UPDATE OF stop_reason ON turn BEGIN
        UPDATE said SET response = new.response WHERE rowid = new.turn_id;
    END;
    CREATE TRIGGER turn_removed AFTER DELETE ON turn BEGIN
        DELETE FROM said WHERE rowid = old.turn_id;
    END;
    """,
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file to the newest version.

    Raises:
        SessionError: when a newer Hexcore wrote the file.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise SessionError(
            "The conversations were written by a newer Hexcore.", "Update Hexcore; the file is left as it is."
        )
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")
