"""The forms of the knowledge files: numbers a file carries, so that one of another version is not misread."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

# Each grows with every change of its tables, its records or what is derived from them; set-up builds a file
# of another form anew.
CARDS_FORM = 5
RELEASE_FORM = 4


def cards_form(connection: sqlite3.Connection) -> int:
    """The form of the cards file in schema `main`."""
    (form,) = connection.execute("PRAGMA main.user_version").fetchone()
    return int(form)


def file_cards_form(file: Path) -> int | None:
    """The form of a cards file; None for one that is gone or no such file."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as connection:
            return cards_form(connection)
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return None


def release_form(connection: sqlite3.Connection) -> int:
    """The form of the release in schema `release`; 0 for one so old that it carries none."""
    try:
        row = connection.execute("SELECT value FROM release.meta WHERE name = 'schema'").fetchone()
        return int(row[0]) if row else 0
    except (sqlite3.OperationalError, ValueError):
        return 0
