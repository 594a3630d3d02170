"""Which experts have an adapter for the loaded model: the folders looked at, and why one is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from hexcore_engine.errors import ExpertAdapterError
from hexcore_engine.models.adapter_files import (
    MANIFEST_NAME,
    WEIGHTS_NAME,
    Adapter,
    AdapterKind,
    check_base,
    read_adapter,
    refused,
)
from hexcore_engine.protocol.records import MODE_NAMES, ModeName, Record
from hexcore_engine.utils.validation import clean_line


class AdapterRecord(Record, frozen=True):
    """One folder of adapters. `note` says why it is not available, and what to do."""

    name: str
    mode: ModeName | None = None
    kind: AdapterKind | None = None
    rank: int | None = None
    size_bytes: int | None = None
    available: bool = False
    loaded: bool = False
    note: str = ""


class AdapterIndex:
    """The adapters in the folders below `folder`, checked; only changed ones are read again.

    `base_hash` returns the fingerprint of the model they must be made for, and may raise
    `ExpertAdapterError`; it is called once, when there is an adapter to compare.
    """

    def __init__(self, folder: Path | None, base_hash: Callable[[], str]) -> None:
        self._folder = folder
        self._base_hash = base_hash
        self._known_base: str | None = None
        self._read: dict[Path, tuple[tuple[int, ...], Adapter | ExpertAdapterError]] = {}

    def find(self, mode: ModeName) -> Adapter:
        """Return the adapter of an expert.

        Raises:
            ExpertAdapterError: when there is none, or the first one for it is refused.
        """
        for found in self._scan().values():
            if isinstance(found, Adapter) and found.mode == mode:
                return found
        raise self.refusal(mode) or ExpertAdapterError(
            f"No adapter for {mode} is installed.",
            "Install one with `hexcore models add-adapter`; the base model answers meanwhile.",
        )

    def refusal(self, mode: ModeName) -> ExpertAdapterError | None:
        """Return why an adapter that says it is this expert's is refused, None where there is none."""
        for folder, found in self._scan().items():
            if isinstance(found, ExpertAdapterError) and _mode_named(folder) == mode:
                return found
        return None

    def modes(self) -> tuple[ModeName, ...]:
        """Return the experts that have a usable adapter."""
        found = self._scan().values()
        return tuple(dict.fromkeys(adapter.mode for adapter in found if isinstance(adapter, Adapter)))

    def records(self) -> tuple[AdapterRecord, ...]:
        """Return every folder, the refused ones with their reason, by name."""
        first: dict[ModeName, str] = {}
        records = []
        for folder, found in self._scan().items():
            if isinstance(found, ExpertAdapterError):
                note = f"{found.message} {found.remedy}"
                records.append(AdapterRecord(clean_line(folder.name), _mode_named(folder), note=note))
                continue
            before = first.setdefault(found.mode, found.name)
            records.append(_record(found, "" if before == found.name else f"{before} comes first."))
        return tuple(records)

    def _scan(self) -> dict[Path, Adapter | ExpertAdapterError]:
        try:
            paths = self._folder.iterdir() if self._folder is not None else ()
            folders = sorted(path for path in paths if path.is_dir() and path.name[0] != ".")
        except OSError:
            folders = []
        read = {}
        for folder in folders:
            stamp = _stamp(folder)
            known = self._read.get(folder)
            read[folder] = known if known and known[0] == stamp else (stamp, self._check(folder))
        self._read = read
        return {folder: found for folder, (_, found) in read.items()}

    def _check(self, folder: Path) -> Adapter | ExpertAdapterError:
        try:
            adapter = read_adapter(folder)
            if self._known_base is None:
                self._known_base = self._base_hash()
            check_base(adapter, self._known_base)
        except ExpertAdapterError as error:
            return error
        except OSError as error:
            return refused(folder, f"it can't be read: {error.strerror}")
        return adapter


def _record(adapter: Adapter, note: str) -> AdapterRecord:
    manifest = adapter.manifest
    return AdapterRecord(
        name=adapter.name,
        mode=manifest.mode,
        kind=manifest.kind,
        rank=manifest.rank,
        size_bytes=adapter.num_bytes,
        available=not note,
        note=note,
    )


def _mode_named(folder: Path) -> ModeName | None:
    """The expert a refused adapter says it is for, as far as that can be read."""
    try:
        written = msgspec.json.decode((folder / MANIFEST_NAME).read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return next(
        (mode for mode in MODE_NAMES if isinstance(written, dict) and written.get("mode") == mode), None
    )


def _stamp(folder: Path) -> tuple[int, ...]:
    """Change of the folder (a pickled file beside the weights), of the manifest and of the weights."""
    times = []
    for path in (folder, folder / MANIFEST_NAME, folder / WEIGHTS_NAME):
        try:
            stat = path.stat()
            times += [stat.st_mtime_ns, stat.st_size]
        except OSError:
            times += [0, 0]
    return tuple(times)
