"""The `current` pointer: a small JSON file, replaced atomically, that names the files in use.

Readers look at it before each query; a file it names is never written to again. It carries a hash of itself:
with one letter of it changed, other rules than the chosen ones would be read without a word.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
from msgspec.structs import replace

from hexcore_engine.errors import KnowledgeCorruptError, StorageError

POINTER_NAME = "current"


class ReleaseEntry(msgspec.Struct, frozen=True):
    """One rules release on disk. `effective` is an ISO date, None for our digest standing in."""

    key: str
    file: str
    effective: str | None
    official: bool


class Pointer(msgspec.Struct, frozen=True):
    """Names of the files in use, relative to the knowledge folder.

    `generation` grows by one with every change; `cards_file` is None until cards were imported, and
    `previous_cards_file` names those in use before, kept to go back to. `digests` holds each file's hash by
    its name (see integrity.py), so that any changed byte can be found. `check` is the hash of all the rest,
    filled in on disk alone.
    """

    generation: int
    cards_file: str | None = None
    releases: tuple[ReleaseEntry, ...] = ()
    pinned: str | None = None
    digests: dict[str, str] = {}
    previous_cards_file: str | None = None
    check: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """Names of all files that are kept."""
        cards = (self.cards_file, self.previous_cards_file)
        return (*(name for name in cards if name is not None), *(entry.file for entry in self.releases))

    def current_release(self) -> ReleaseEntry | None:
        """The pinned release, else the official one with the newest effective date, else our digest."""
        for entry in self.releases:
            if self.pinned and entry.key == self.pinned:
                return entry
        if not self.releases:
            return None
        return max(self.releases, key=lambda entry: (entry.official, entry.effective or ""))

    def official_releases(self) -> tuple[ReleaseEntry, ...]:
        """The official releases, the newest first."""
        official = (entry for entry in self.releases if entry.official)
        return tuple(sorted(official, key=lambda entry: entry.effective or "", reverse=True))

    def release_named(self, typed: str) -> ReleaseEntry | None:
        """The official release of that key, else the newest whose date begins so ("2022", "2022-11")."""
        wanted = typed.strip().lower()
        releases = self.official_releases()
        exact = (entry for entry in releases if entry.key == wanted)
        begun = (entry for entry in releases if wanted and entry.key.startswith(wanted))
        return next(exact, None) or next(begun, None)


def read_pointer(folder: Path) -> Pointer | None:
    """Return the pointer, or None when nothing was built yet.

    Raises:
        KnowledgeCorruptError: when the pointer itself is damaged.
        StorageError: when it may not be read.
    """
    try:
        stored = msgspec.json.decode((folder / POINTER_NAME).read_bytes(), type=Pointer)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged(folder) from error
    except OSError as error:
        raise _unreadable(folder, error) from error
    pointer = replace(stored, check="")
    # An older version wrote none.
    if stored.check and stored.check != _check_of(pointer):
        raise _damaged(folder)
    return pointer


def pointer_stamp(folder: Path) -> tuple[int, int, int] | None:
    """Return what changes whenever the pointer is replaced; None without one. Raises as `read_pointer`."""
    try:
        stat = (folder / POINTER_NAME).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(folder, error) from error
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def _damaged(folder: Path) -> KnowledgeCorruptError:
    return KnowledgeCorruptError(f"The list of knowledge files in use, {folder / POINTER_NAME}, is damaged.")


def _check_of(pointer: Pointer) -> str:
    return hashlib.sha256(msgspec.json.encode(pointer)).hexdigest()


def _unreadable(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"The knowledge in {folder} can't be read: {error.strerror}.",
        "Make the folder readable, or set HEXCORE_HOME to a folder of yours.",
    )


def write_pointer(folder: Path, pointer: Pointer) -> None:
    """Replace the pointer atomically and durably."""
    aside = folder / f"{POINTER_NAME}.new"
    with aside.open("wb") as file:
        checked = replace(pointer, check=_check_of(pointer))
        file.write(msgspec.json.format(msgspec.json.encode(checked)))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(folder / POINTER_NAME)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
