"""Cards and rulings from Scryfall's bulk files: asked for only when they changed, checked before use.

What is known of the source is kept beside the downloads: the tag of its list, the day of each file in use,
and until when it asked for patience.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import msgspec

from hexcore_engine.data.card_files import (
    CardImportReport,
    import_cards,
    import_cards_and_rulings,
    loaded_source,
)
from hexcore_engine.data.downloads import LATER, LONGEST_LOCK_OUT_S, Downloader, LockedOutError
from hexcore_engine.data.progress import ProgressReporter
from hexcore_engine.data.scryfall_cards import RULINGS_NAME, SOURCE_NAME
from hexcore_engine.errors import DownloadError, ImportFileError
from hexcore_engine.knowledge.cards.records import CardsSource
from hexcore_engine.knowledge.store.builder import import_lock, storage_errors
from hexcore_engine.paths import Paths
from hexcore_engine.settings import Settings, is_offline
from hexcore_engine.utils.validation import clean_line

# Rulings belong to cards, so cards come first.
CARDS = "oracle_cards"
WANTED = (CARDS, "rulings")
_DAY_SIGNS = len("2026-01-02")
_STATE_NAME = "scryfall.json"
_LARGEST_LIST_BYTES = 1024 * 1024
# A new file with fewer cards than this part of those in use is taken for a broken one.
_LEAST_SHARE = 0.5


class BulkFile(msgspec.Struct):
    """One file of the list, as it stands there. `size` is bytes, of the JSON or of what is sent."""

    type: str
    updated_at: str
    download_uri: str
    size: int = 0


class BulkList(msgspec.Struct):
    """The list, as it stands there."""

    data: list[BulkFile]


class SourceState(msgspec.Struct):
    """What is known of the source. `not_before` is in seconds since 1970; `listed` is file -> updated_at in
    the list that `etag` names, `in_use` the same for what was imported."""

    etag: str = ""
    address: str = ""
    checked_at: float = 0.0
    not_before: float = 0.0
    listed: dict[str, str] = {}
    in_use: dict[str, str] = {}


def update_cards(
    paths: Paths, settings: Settings, progress: ProgressReporter
) -> tuple[CardImportReport, ...]:
    """Fetch and import what changed at the source; one report a file, `unchanged` where it is in use already.

    Raises:
        DownloadError: when it can't be had or is not what it should be; what is in use stays.
        StorageError: when the disk refuses.
    """
    if is_offline():
        raise DownloadError("HEXCORE_OFFLINE forbids fetching card files.", "Run it without HEXCORE_OFFLINE.")
    # Its own lock: reading the list and fetching takes minutes, in which look-ups and imports go on.
    with import_lock(paths.downloads_dir):
        return _Update(paths, settings.data.cards_source, progress).run()


class _Update:
    def __init__(self, paths: Paths, address: str, progress: ProgressReporter) -> None:
        self._paths = paths
        self._address = address
        self._progress = progress
        self._state_file = paths.downloads_dir / _STATE_NAME
        self._state = self._read_state()
        self._reports: dict[str, CardImportReport] = {}

    def run(self) -> tuple[CardImportReport, ...]:
        # Further ahead than any source asks for: the clock was put back since.
        if 0 < self._state.not_before - time.time() <= LONGEST_LOCK_OUT_S:
            raise LockedOutError(self._address, self._state.not_before)
        try:
            with Downloader() as downloader:
                listed = self._list(downloader)
                if listed is None:
                    return tuple(self._unchanged(name) for name in WANTED)
                changed = [name for name in WANTED if not self._is_in_use(name)]
                files = {name: self._fetch(downloader, listed[name]) for name in changed}
        except LockedOutError as locked:
            self._state.not_before = locked.until
            self._write_state()
            raise
        self._import(files)
        self._state.in_use = dict(self._state.listed)
        self._write_state()
        return tuple(self._reports.get(name) or self._unchanged(name) for name in WANTED)

    def _list(self, downloader: Downloader) -> dict[str, BulkFile] | None:
        """The files there are now; None when the list is the one seen last and all of it is in use."""
        complete = all(self._is_in_use(name) for name in WANTED)
        document = downloader.get(self._address, _LARGEST_LIST_BYTES, self._state.etag if complete else "")
        self._state.checked_at = time.time()
        if document is None:
            return None
        try:
            listed = msgspec.json.decode(document.content, type=BulkList)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            reason = clean_line(str(error))
            raise DownloadError(
                f"The list of files at {self._address} can't be read: {reason}.", LATER
            ) from error
        files = {file.type: file for file in listed.data}
        for name in WANTED:
            if name not in files:
                raise DownloadError(f"The list of files at {self._address} has no {name}.", LATER)
        self._state.etag, self._state.address = document.etag, self._address
        self._state.listed = {name: files[name].updated_at for name in WANTED}
        return files

    def _fetch(self, downloader: Downloader, bulk: BulkFile) -> Path:
        """The file, whole; it lies there until it is imported, should the other one not come."""
        stamp = "".join(sign for sign in bulk.updated_at if sign.isdigit())[:14]
        part = self._paths.downloads_dir / f"scryfall-{bulk.type}-{stamp}.json.part"
        whole = part.with_suffix("")
        self._drop_others(bulk.type, whole)
        if not whole.exists():
            with self._progress.step(f"Scryfall {bulk.type}", bulk.size) as step:
                downloader.fetch(bulk.download_uri, part, step)
            with storage_errors(whole):
                part.replace(whole)
        return whole

    def _import(self, files: dict[str, Path]) -> None:
        cards, rulings = (files.get(name) for name in WANTED)
        try:
            if cards and rulings:
                reports = import_cards_and_rulings(
                    self._paths, cards, rulings, self._progress, least_cards=self._least_cards()
                )
                self._reports.update(zip(WANTED, reports, strict=True))
            else:
                for name, file in files.items():
                    least = self._least_cards() if name == CARDS else 1
                    self._reports[name] = import_cards(self._paths, file, self._progress, least_cards=least)
        except ImportFileError as error:
            # Kept, a damaged file would be taken for the whole one next time.
            self._drop(files)
            raise DownloadError(f"What the source sent is not usable: {error.message}", LATER) from error
        self._drop(files)

    def _drop(self, files: dict[str, Path]) -> None:
        for file in files.values():
            with storage_errors(file):
                file.unlink(missing_ok=True)

    def _least_cards(self) -> int:
        loaded = loaded_source(self._paths.knowledge_dir)
        return int(loaded.num_cards * _LEAST_SHARE) if loaded and loaded.name == SOURCE_NAME else 1

    def _is_in_use(self, name: str) -> bool:
        """Whether the newest file listed is the one that was imported, and was not replaced since."""
        updated_at = self._state.in_use.get(name)
        if updated_at is None or updated_at != self._state.listed.get(name):
            return False
        source = loaded_source(self._paths.knowledge_dir)
        if source is None or source.name != SOURCE_NAME:
            return False
        if name == CARDS:
            return source.date == updated_at[:_DAY_SIGNS]
        return (source.rulings_source, source.rulings_date) == (RULINGS_NAME, updated_at[:_DAY_SIGNS])

    def _unchanged(self, name: str) -> CardImportReport:
        source = loaded_source(self._paths.knowledge_dir) or CardsSource("", None, 0)
        self._write_state()
        if name == "rulings":
            return CardImportReport(
                "rulings", source.rulings_source, source.rulings_date, source.num_cards, unchanged=True
            )
        return CardImportReport("cards", source.name, source.date, source.num_cards, unchanged=True)

    def _drop_others(self, name: str, kept: Path) -> None:
        """Parts of older files will not be continued."""
        for old in self._paths.downloads_dir.glob(f"scryfall-{name}-*"):
            if not old.name.startswith(kept.name):
                with suppress(OSError):
                    old.unlink()

    def _read_state(self) -> SourceState:
        try:
            state = msgspec.json.decode(self._state_file.read_bytes(), type=SourceState)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return SourceState()
        return state if state.address in ("", self._address) else SourceState()

    def _write_state(self) -> None:
        aside = self._state_file.with_name(f"{_STATE_NAME}.new")
        with storage_errors(self._state_file):
            aside.write_bytes(msgspec.json.encode(self._state))
            aside.replace(self._state_file)
