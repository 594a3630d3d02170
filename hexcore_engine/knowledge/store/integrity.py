"""Finding damage in a file: at every opening from its header, on request from all its bytes."""

from __future__ import annotations

import hashlib
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


def digest_of(file: Path) -> str:
    """The hash of all bytes of a file, as the pointer keeps it."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def damage_of(file: Path, digest: str | None = None) -> str | None:
    """Like `quick_damage_of`, and compares every byte with the hash it had when it was built.

    Without that hash the structure of the database is walked, which misses damage inside of texts.
    """
    reason = quick_damage_of(file)
    if reason is not None:
        return reason
    if digest is not None:
        try:
            return None if digest_of(file) == digest else "its bytes are not those that were written"
        except OSError as error:
            return f"it can't be read ({error.strerror})"
    try:
        connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
        try:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return str(error)
    return None if verdict == "ok" else " ".join(str(verdict).split())
