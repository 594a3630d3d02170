"""Building knowledge files aside and swapping them in.

A file is built under a temporary name with a rollback journal, closed, synced and renamed; only then does the
pointer name it. A build that is killed leaves the old generation in use. One writer at a time: a lock file
says who holds it.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from msgspec.structs import replace

from hexcore_engine.errors import StorageError
from hexcore_engine.knowledge.store.forms import CARDS_FORM, file_cards_form
from hexcore_engine.knowledge.store.integrity import digest_of
from hexcore_engine.knowledge.store.pointer import (
    Pointer,
    ReleaseEntry,
    read_pointer,
    sync_folder,
    write_pointer,
)
from hexcore_engine.utils.locks import lock_holder, try_lock, wait_for_lock

logger = logging.getLogger(__name__)
LOCK_NAME = "import.lock"
Build = Callable[[sqlite3.Connection], None]


def _log_waiting(holder: str) -> None:
    logger.warning("waiting for another import (%s) to finish; Ctrl-C ends the wait", holder)


# Told who holds the lock that an import waits for: the log, which a command shows on stderr, or a screen.
tell_waiting: ContextVar[Callable[[str], None]] = ContextVar("tell_waiting", default=_log_waiting)


@contextmanager
def import_lock(folder: Path) -> Iterator[None]:
    """Hold the folder's only write lock; waits for another import to finish, and has `tell_waiting` say for
    whom.

    Raises:
        StorageError: when the folder can't be made or written.
    """
    file = folder / LOCK_NAME
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = try_lock(file)
    if descriptor is None:
        tell_waiting.get()(str(lock_holder(file) or "another process"))
        descriptor = wait_for_lock(file)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def storage_errors(place: Path) -> Iterator[None]:
    """Turn a full, read-only or forbidding disk into a `StorageError` that says so."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{place} could not be written: {error.strerror or error}.") from error
    except sqlite3.OperationalError as error:
        if (
            "full" in str(error)
            or "readonly" in str(error)
            or "unable to open" in str(error)
            or "I/O" in str(error)
        ):
            raise StorageError(f"{place} could not be written: {error}.") from error
        raise


def build_file(folder: Path, name: str, build: Build) -> str:
    """Build the SQLite file `name` in `folder` aside, sync it, rename it into place, and return its hash. The
    caller holds `import_lock`."""
    aside = folder / f"{name}.new"
    with storage_errors(folder / name):
        # Of builds that were killed; nobody else builds while we hold the lock.
        for left in folder.glob("*.sqlite.new*"):
            left.unlink(missing_ok=True)
        try:
            _build_aside(aside, build)
            digest = digest_of(aside)
            aside.replace(folder / name)
            sync_folder(folder)
            return digest
        except BaseException:
            aside.unlink(missing_ok=True)
            Path(f"{aside}-journal").unlink(missing_ok=True)
            raise


def _build_aside(aside: Path, build: Build) -> None:
    connection = sqlite3.connect(aside)
    try:
        # Nobody reads the file before it is whole and synced, so the journal can stay in memory.
        connection.execute("PRAGMA journal_mode=MEMORY")
        connection.execute("PRAGMA synchronous=OFF")
        build(connection)
        connection.commit()
        connection.execute("PRAGMA optimize")
    finally:
        connection.close()
    descriptor = os.open(aside, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish_cards(folder: Path, build: Build) -> Pointer:
    """Build the next generation of the cards file and make it current. The caller holds `import_lock`."""
    pointer = read_pointer(folder) or Pointer(generation=0)
    generation = pointer.generation + 1
    name = f"knowledge-{generation}.sqlite"
    digests = pointer.digests | {name: build_file(folder, name, build)}
    former = pointer.cards_file
    # Cards in the form of another version could not be gone back to.
    if former is not None and file_cards_form(folder / former) != CARDS_FORM:
        former = pointer.previous_cards_file
    return publish(
        folder,
        replace(
            pointer,
            generation=generation,
            cards_file=name,
            previous_cards_file=former,
            digests=digests,
        ),
    )


def publish_release(folder: Path, key: str, effective: str | None, official: bool, build: Build) -> Pointer:
    """Build the file of one rules release and name it in the pointer. The caller holds `import_lock`."""
    pointer = read_pointer(folder) or Pointer(generation=0)
    generation = pointer.generation + 1
    name = f"rules-{key}-{generation}.sqlite"
    digests = pointer.digests | {name: build_file(folder, name, build)}
    others = tuple(entry for entry in pointer.releases if entry.key != key)
    entry = ReleaseEntry(key=key, file=name, effective=effective, official=official)
    return publish(
        folder, replace(pointer, generation=generation, releases=(*others, entry), digests=digests)
    )


def publish(folder: Path, pointer: Pointer) -> Pointer:
    """Make `pointer` the current one; hashes of files it does not name are dropped. The caller holds
    `import_lock`."""
    digests = {name: digest for name, digest in pointer.digests.items() if name in pointer.files}
    pointer = replace(pointer, digests=digests)
    with storage_errors(folder):
        write_pointer(folder, pointer)
    return pointer


def remove_stale_files(folder: Path) -> None:
    """Delete generations the pointer no longer names and half-built files; the caller holds `import_lock`.

    Files that were kept aside as damaged stay for their owner to look at.
    """
    pointer = read_pointer(folder)
    if pointer is None:
        return
    named = pointer.files
    for file in folder.glob("*.sqlite*"):
        if file.name not in named and not file.name.endswith(".damaged"):
            try:
                file.unlink()
            except OSError as error:
                if error.errno != errno.ENOENT:
                    continue
