"""Official rules files: imported, and kept as they came, so that a release can be built anew from its own
source."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec.structs import replace

from hexcore_engine.errors import ImportFileError, StorageError
from hexcore_engine.knowledge.rules.decoding import read_rules_bytes
from hexcore_engine.knowledge.rules.release import (
    ImportReport,
    has_other_form,
    has_stale_digest,
    import_rules_file,
)
from hexcore_engine.knowledge.store.builder import import_lock, publish, storage_errors
from hexcore_engine.knowledge.store.pointer import read_pointer, sync_folder
from hexcore_engine.paths import Paths


def import_and_keep(paths: Paths, file: Path) -> ImportReport:
    """Make a rules file a release and keep a copy of it among the downloads.

    Raises:
        ImportFileError: when it is no whole rules file; what was there stays untouched.
        StorageError: when the disk refuses.
    """
    # Copied first: where there is no room for the copy, nothing is imported.
    with _copied(file, paths.downloads_dir) as aside:
        report = import_rules_file(paths.knowledge_dir, file)
        if not report.unchanged:
            _keep(aside, kept_file(paths, report.key))
    return report


def kept_file(paths: Paths, key: str) -> Path:
    """Where the source of the release `key` is kept."""
    return paths.downloads_dir / f"rules-{key}.txt"


def rebuild_releases(paths: Paths) -> None:
    """Build again, from their kept sources, the releases that are gone or have another version's form, and
    the one in use when it was built from another digest.

    A release of another form without a source is dropped: its file is asked for again.
    """
    folder = paths.knowledge_dir
    pointer = read_pointer(folder)
    entries = {entry.key: entry for entry in pointer.releases if entry.official} if pointer else {}
    current = pointer.current_release() if pointer else None
    unreadable = {key for key, entry in entries.items() if has_other_form(folder, entry)}
    stale = {key for key, entry in entries.items() if entry == current and has_stale_digest(folder, entry)}
    for source in sorted(paths.downloads_dir.glob("rules-*.txt")):
        key = source.stem.removeprefix("rules-")
        if key in unreadable or key in stale or key not in entries:
            _require_readable(source)
            try:
                import_rules_file(folder, source)
                unreadable.discard(key)
            except ImportFileError:
                # Our copy is damaged; a person can give the file again, and nothing else depends on it.
                source.unlink(missing_ok=True)
    if unreadable:
        _drop(folder, unreadable)


def _require_readable(source: Path) -> None:
    """Refuse to go on with a kept source that can't be read: that is no damage, no reason to delete it."""
    try:
        source.open("rb").close()
    except OSError as error:
        raise StorageError(
            f"{source}, the kept text of a rules release, can't be read: {error.strerror or error}.",
            "Let yourself read that file, or delete it; then run `hexcore setup` again.",
        ) from error


def _drop(folder: Path, keys: set[str]) -> None:
    with import_lock(folder):
        pointer = read_pointer(folder)
        if pointer is not None:
            releases = tuple(entry for entry in pointer.releases if entry.key not in keys)
            publish(folder, replace(pointer, generation=pointer.generation + 1, releases=releases))


@contextmanager
def _copied(file: Path, folder: Path) -> Iterator[Path]:
    """A synced copy of a file in `folder`, gone at the end unless it was renamed."""
    # Two imports may keep their files at the same time, of one process too.
    aside = folder / f"rules-import.{os.getpid()}.{secrets.token_hex(4)}.new"
    content = read_rules_bytes(file)
    try:
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _remove_left(folder)
            with aside.open("wb") as copy:
                copy.write(content)
                copy.flush()
                os.fsync(copy.fileno())
        yield aside
    finally:
        with suppress(OSError):
            aside.unlink()


def _remove_left(folder: Path) -> None:
    """Delete the copies of imports that were killed."""
    for copy in folder.glob("rules-import.*.new"):
        try:
            os.kill(int(copy.name.split(".")[1]), 0)
        except (ProcessLookupError, OverflowError, ValueError):
            copy.unlink(missing_ok=True)
        except PermissionError:
            continue


def _keep(aside: Path, target: Path) -> None:
    with storage_errors(target):
        aside.replace(target)
        sync_folder(target.parent)
