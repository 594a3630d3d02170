"""Reading the files the pointer names, and noticing when it names others or when a file is damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from hexcore_engine.errors import KnowledgeCorruptError, KnowledgeOutdatedError
from hexcore_engine.knowledge.store.forms import CARDS_FORM, RELEASE_FORM, cards_form, release_form
from hexcore_engine.knowledge.store.integrity import damage_of, quick_damage_of
from hexcore_engine.knowledge.store.pointer import Pointer, ReleaseEntry, pointer_stamp, read_pointer

_CACHE_KIB = 16 * 1024
# "Could not decode" has no code of its own: text in a damaged page that is no longer UTF-8.
_DAMAGE_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN)


class KnowledgeReader:
    """The knowledge files, read-only: the cards file as schema `main`, a release as `release`: the one whose
    key is given, else the current one.

    Looks at the pointer before each query, and not within one, and reopens when it moved, so one query sees
    one state. Used by one thread at a time.
    """

    def __init__(self, folder: Path, release_key: str | None = None) -> None:
        self._folder = folder
        self._release_key = release_key
        self._stamp: tuple[int, int, int] | None = None
        self._pointer: Pointer | None = None
        self._connection: sqlite3.Connection | None = None
        self._num_queries = 0

    @property
    def pointer(self) -> Pointer | None:
        """What the pointer names now; None when nothing was set up. Raises as `connection` does."""
        self.connection()
        return self._pointer

    @property
    def has_cards(self) -> bool:
        """Whether schema `main` holds cards."""
        pointer = self.pointer
        return pointer is not None and pointer.cards_file is not None

    @property
    def has_release(self) -> bool:
        """Whether a release is attached as schema `release`."""
        return self.release_entry is not None

    @property
    def release_entry(self) -> ReleaseEntry | None:
        """The attached release; None when there is none, or none of the key that was asked for."""
        pointer = self.pointer
        return _release_of(pointer, self._release_key) if pointer is not None else None

    def connection(self) -> sqlite3.Connection | None:
        """Return the connection to the current files, or None when nothing was set up; within a query, the
        one it began with.

        Without cards `main` is empty; without a release there is no schema `release`.

        Raises:
            KnowledgeCorruptError: naming the file that is damaged or gone.
            KnowledgeOutdatedError: naming the file that has the form of another version.
            StorageError: when the folder may not be read.
        """
        if self._num_queries:
            return self._connection
        stamp = pointer_stamp(self._folder)
        if stamp != self._stamp:
            self.close()
            self._open()
            self._stamp = stamp
        return self._connection

    @contextmanager
    def query(self) -> Iterator[sqlite3.Connection | None]:
        """Run the statements of one look-up on `connection()`; damage found by them is said as such. Queries
        within a query see the files it sees.

        Raises:
            KnowledgeCorruptError: naming the file that is damaged.
        """
        try:
            connection = self.connection()
            with self._in_query():
                yield connection
        except (sqlite3.DatabaseError, LookupError, TypeError, ValueError) as error:
            damaged = self._find_damaged(error)
            if damaged is None:
                raise
            raise damaged from error

    @contextmanager
    def _in_query(self) -> Iterator[None]:
        self._num_queries += 1
        try:
            yield
        finally:
            self._num_queries -= 1

    def close(self) -> None:
        """Close the files; the next query opens them again."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._pointer = None
        self._stamp = None

    def _open(self) -> None:
        pointer = read_pointer(self._folder)
        while pointer is not None:
            try:
                self._connection = _connect(self._folder, pointer, _release_of(pointer, self._release_key))
                break
            except (KnowledgeCorruptError, KnowledgeOutdatedError):
                # An import may have replaced the files between reading the pointer and opening them.
                moved = read_pointer(self._folder)
                if moved == pointer:
                    raise
                pointer = moved
        self._pointer = pointer

    def _find_damaged(self, error: Exception) -> KnowledgeCorruptError | None:
        code = getattr(error, "sqlite_errorcode", None)
        if isinstance(error, sqlite3.DatabaseError) and code is not None:
            primary = code & 0xFF
            if primary not in _DAMAGE_CODES and primary != sqlite3.SQLITE_ERROR:
                return None
        elif isinstance(error, sqlite3.ProgrammingError):
            return None
        pointer = self._pointer
        release = _release_of(pointer, self._release_key) if pointer else None
        files = _named_files(self._folder, pointer, release) if pointer else []
        digests = pointer.digests if pointer else {}
        self.close()
        for file in files:
            reason = damage_of(file, digests.get(file.name))
            if reason is not None:
                return KnowledgeCorruptError(f"The knowledge file {file} is damaged: {reason}.")
        if not isinstance(error, msgspec.DecodeError | UnicodeDecodeError) and "decode" not in str(error):
            return None
        names = " or ".join(str(file) for file in files) or str(self._folder)
        return KnowledgeCorruptError(f"The knowledge file {names} is damaged: {error}.")


def _release_of(pointer: Pointer, key: str | None) -> ReleaseEntry | None:
    if key is None:
        return pointer.current_release()
    return next((entry for entry in pointer.releases if entry.key == key), None)


def _named_files(folder: Path, pointer: Pointer, release: ReleaseEntry | None) -> list[Path]:
    names = [pointer.cards_file, release.file if release else None]
    return [folder / name for name in names if name]


def _connect(folder: Path, pointer: Pointer, release: ReleaseEntry | None) -> sqlite3.Connection:
    for file in _named_files(folder, pointer, release):
        reason = quick_damage_of(file)
        if reason is not None:
            raise KnowledgeCorruptError(f"The knowledge file {file} is damaged: {reason}.")
    main = _read_only_uri(folder / pointer.cards_file) if pointer.cards_file else ":memory:"
    # One thread at a time is our callers' promise; which thread it is may change.
    connection = sqlite3.connect(main, uri=True, isolation_level=None, check_same_thread=False)
    try:
        if release is not None:
            connection.execute("ATTACH DATABASE ? AS release", (_read_only_uri(folder / release.file),))
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute("PRAGMA query_only = ON")
        _check_forms(connection, folder, pointer, release)
        _check_rules(folder, pointer, release)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        connection.close()
        raise KnowledgeCorruptError(f"The knowledge files in {folder} can't be opened: {error}.") from error
    except (KnowledgeCorruptError, KnowledgeOutdatedError):
        connection.close()
        raise
    return connection


def _check_forms(
    connection: sqlite3.Connection, folder: Path, pointer: Pointer, release: ReleaseEntry | None
) -> None:
    outdated = None
    if pointer.cards_file and cards_form(connection) != CARDS_FORM:
        outdated = pointer.cards_file
    elif release is not None and release_form(connection) != RELEASE_FORM:
        outdated = release.file
    if outdated:
        raise KnowledgeOutdatedError(
            f"The knowledge file {folder / outdated} was made by another version of Hexcore."
        )


def _check_rules(folder: Path, pointer: Pointer, release: ReleaseEntry | None) -> None:
    """Compare every byte of a release: with one letter changed, a rule is another rule. Cards are five times
    as many bytes, so those wait for `hexcore doctor` and set-up."""
    digest = pointer.digests.get(release.file) if release is not None else None
    if release is None or digest is None:
        return
    reason = damage_of(folder / release.file, digest)
    if reason is not None:
        raise KnowledgeCorruptError(f"The knowledge file {folder / release.file} is damaged: {reason}.")


def _read_only_uri(file: Path) -> str:
    return f"file:{quote(str(file))}?mode=ro"
