"""What is loaded, how old it is, and choosing among it: pin, roll back, remove."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

from msgspec.structs import replace

from hexcore_engine.data.rules_files import kept_file, rebuild_releases
from hexcore_engine.errors import KnowledgeMissingError, StorageError, UsageError
from hexcore_engine.knowledge.digest.loader import load_digest
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.rules.release import ensure_digest_release
from hexcore_engine.knowledge.store.builder import import_lock, publish, remove_stale_files, storage_errors
from hexcore_engine.knowledge.store.forms import CARDS_FORM, file_cards_form
from hexcore_engine.knowledge.store.pointer import Pointer, ReleaseEntry, read_pointer
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.records import Record

NEWEST = "none"
CARDS = "cards"


class ReleaseStatus(Record, frozen=True):
    """One official release on disk. `age_days` counts from its effective date; None without one."""

    key: str
    effective: str | None
    age_days: int | None
    current: bool
    pinned: bool
    size_bytes: int


class CardsStatus(Record, frozen=True):
    """The cards in use. `date` is the ISO day of the source; `can_roll_back` when those before are kept."""

    source: str
    date: str | None
    age_days: int | None
    num_cards: int
    can_roll_back: bool


class SourcesStatus(Record, frozen=True):
    """All that is loaded; `digest_entries` are the rules in our own words. Warnings are in words."""

    rules: tuple[ReleaseStatus, ...]
    cards: CardsStatus | None
    digest_entries: int
    pinned: str | None
    warnings: tuple[str, ...]


def sources_status(paths: Paths, today: date | None = None) -> SourcesStatus:
    """Say what is loaded; the newest release comes first."""
    day = today or datetime.now(UTC).date()
    pointer = read_pointer(paths.knowledge_dir) or Pointer(generation=0)
    knowledge = Knowledge(paths.knowledge_dir)
    try:
        status = knowledge.status()
    finally:
        knowledge.close()
    cards = None
    if status.num_cards and status.cards_source:
        cards = CardsStatus(
            status.cards_source,
            status.cards_date,
            _age(status.cards_date, day),
            status.num_cards,
            pointer.previous_cards_file is not None,
        )
    releases = tuple(_release_status(paths, pointer, entry, day) for entry in pointer.official_releases())
    return SourcesStatus(releases, cards, len(load_digest()), pointer.pinned, status.warnings)


def pin_release(paths: Paths, typed: str) -> ReleaseEntry | None:
    """Make one release the current one whatever comes later; `none` lets the newest be current again.

    Raises:
        KnowledgeMissingError: naming those loaded, when there is no such release.
        StorageError: when the disk refuses.
    """
    folder = paths.knowledge_dir
    with import_lock(folder):
        pointer = read_pointer(folder) or Pointer(generation=0)
        key = None if typed.lower() == NEWEST else find_release(pointer, typed).key
        publish(folder, replace(pointer, generation=pointer.generation + 1, pinned=key))
    # It may have waited through a change of the digest.
    rebuild_releases(paths)
    changed = read_pointer(folder)
    return changed.current_release() if changed else None


def roll_back_rules(paths: Paths) -> ReleaseEntry:
    """Pin the release before the current one.

    Raises:
        UsageError: when there is none.
        StorageError: when the disk refuses.
    """
    pointer = read_pointer(paths.knowledge_dir) or Pointer(generation=0)
    releases = pointer.official_releases()
    current = pointer.current_release()
    place = releases.index(current) + 1 if current in releases else len(releases)
    if place >= len(releases):
        raise UsageError(
            "There is no older release to go back to.",
            "Import one: `hexcore data import FILE`; `hexcore data status` lists those loaded.",
        )
    pin_release(paths, releases[place].key)
    return releases[place]


def roll_back_cards(paths: Paths) -> None:
    """Use the cards that were in use before the last import again; a second time undoes it.

    Raises:
        UsageError: when none are kept, or those kept have the form of another version.
        StorageError: when the disk refuses.
    """
    folder = paths.knowledge_dir
    with import_lock(folder):
        pointer = read_pointer(folder) or Pointer(generation=0)
        name = pointer.previous_cards_file
        if name is None or file_cards_form(folder / name) != CARDS_FORM:
            raise UsageError(
                "No cards of an earlier import are kept.", "Import them: `hexcore data import FILE`."
            )
        publish(
            folder,
            replace(
                pointer,
                generation=pointer.generation + 1,
                cards_file=name,
                previous_cards_file=pointer.cards_file,
            ),
        )


def remove_source(paths: Paths, typed: str) -> str:
    """Remove a release with its kept source, or `cards`; return what was removed, in words.

    Raises:
        KnowledgeMissingError: when it is not there.
        StorageError: when the disk refuses.
    """
    folder = paths.knowledge_dir
    with import_lock(folder):
        pointer = read_pointer(folder) or Pointer(generation=0)
        generation = pointer.generation + 1
        if typed.lower() == CARDS:
            if pointer.cards_file is None:
                raise KnowledgeMissingError("No cards are loaded.")
            publish(
                folder, replace(pointer, generation=generation, cards_file=None, previous_cards_file=None)
            )
            what = "the cards"
        else:
            entry = find_release(pointer, typed)
            _forget_release(paths, replace(pointer, generation=generation), entry)
            what = f"Comprehensive Rules {entry.key}"
        remove_stale_files(folder)
    if not (read_pointer(folder) or pointer).releases:
        # Look-ups of rules go on, in our words.
        ensure_digest_release(folder)
    return what


def find_release(pointer: Pointer, typed: str) -> ReleaseEntry:
    """The official release a person names by its date, or by the beginning of it (then the newest such).

    Raises:
        KnowledgeMissingError: naming those loaded.
    """
    found = pointer.release_named(typed)
    if found is None:
        loaded = ", ".join(entry.key for entry in pointer.official_releases()) or "none"
        raise KnowledgeMissingError(
            f"There is no rules release {typed!r} here; loaded: {loaded}.",
            "Import its text file: `hexcore data import FILE`.",
        )
    return found


def _forget_release(paths: Paths, pointer: Pointer, entry: ReleaseEntry) -> None:
    source = kept_file(paths, entry.key)
    # The source first: it alone would bring the release back at the next set-up.
    with storage_errors(source), suppress(FileNotFoundError):
        source.unlink()
    releases = tuple(other for other in pointer.releases if other.key != entry.key)
    pinned = None if pointer.pinned == entry.key else pointer.pinned
    publish(paths.knowledge_dir, replace(pointer, releases=releases, pinned=pinned))


def _release_status(paths: Paths, pointer: Pointer, entry: ReleaseEntry, today: date) -> ReleaseStatus:
    return ReleaseStatus(
        key=entry.key,
        effective=entry.effective,
        age_days=_age(entry.effective, today),
        current=pointer.current_release() == entry,
        pinned=pointer.pinned == entry.key,
        size_bytes=_size(paths.knowledge_dir / entry.file),
    )


def _age(day: str | None, today: date) -> int | None:
    return (today - date.fromisoformat(day)).days if day else None


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise StorageError(f"{file} can't be read: {error.strerror}.") from error
