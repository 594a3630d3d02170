"""Finding damage in a knowledge file: at every opening from its header, on request from all its bytes."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100


def quick_damage_of(file: Path) -> str | None:
    """Say in words what is wrong with `file` as its header and size tell, or None; reads 100 bytes."""
    try:
        with file.open("rb") as stream:
            header = stream.read(_HEADER_BYTES)
            size = stream.seek(0, 2)
    except FileNotFoundError:
        return "it is gone"
    except OSError as error:
        return f"it can't be read ({error.strerror})"
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        return "it is not a database any more"
    page_size = int.from_bytes(header[16:18], "big")
    page_size = 65536 if page_size == 1 else page_size
    expected = page_size * int.from_bytes(header[28:32], "big")
    return None if size == expected else f"it has {size} bytes where {expected} belong"


def damage_of(file: Path) -> str | None:
    """Like `quick_damage_of`, and walks every page of the database."""
    reason = quick_damage_of(file)
    if reason is not None:
        return reason
    try:
        connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
        try:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if verdict == "ok" else " ".join(str(verdict).split())
