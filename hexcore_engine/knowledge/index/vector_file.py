"""The vectors of one release's texts on disk: a file beside the release's, built aside and renamed.

It is an archive of plain arrays whose parts carry checksums. A half-built file has the same form under
another name, so that a build that was ended goes on where it was.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.errors import KnowledgeCorruptError
from hexcore_engine.knowledge.store.builder import storage_errors
from hexcore_engine.knowledge.store.pointer import read_pointer, sync_folder

SUFFIX = ".vectors"
_PARTIAL = f"{SUFFIX}.partial"
_HASH_BYTES = 16


@dataclass(frozen=True)
class TextVectors:
    """Vectors of texts: parallel arrays. `key` tells of what they were made (see `vectors_key`), `rules` are
    positions in the release, `fields` places in FIELDS of postings, `hashes` of the texts [n, 16], `vectors`
    of length 1 [n, width] in 16 bits."""

    key: str
    rules: NDArray[np.int32]
    fields: NDArray[np.uint8]
    hashes: NDArray[np.uint8]
    vectors: NDArray[np.float16]


def text_hash(text: str) -> bytes:
    """Return what a text is recognised by when its vector is looked for."""
    return blake2b(text.encode(), digest_size=_HASH_BYTES).digest()


def vectors_file(folder: Path, release_file: str) -> Path:
    """The file of a release's vectors."""
    return folder / f"{Path(release_file).stem}{SUFFIX}"


def partial_file(folder: Path, release_file: str) -> Path:
    """The half-built file of a release's vectors."""
    return folder / f"{Path(release_file).stem}{_PARTIAL}"


def read_vectors(file: Path) -> TextVectors | None:
    """Return the vectors of a file, every byte checked; None where there is no file.

    Raises:
        KnowledgeCorruptError: when the file is damaged.
    """
    if not file.exists():
        return None
    with _damage_said(file), np.load(file, allow_pickle=False) as stored:
        found = TextVectors(
            _text(stored["key"]),
            stored["rules"].astype(np.int32),
            stored["fields"].astype(np.uint8),
            stored["hashes"].astype(np.uint8),
            stored["vectors"].astype(np.float16),
        )
        if len({len(found.rules), len(found.fields), len(found.hashes), len(found.vectors)}) > 1:
            raise ValueError("its parts differ in length")
        return found


def write_vectors(file: Path, found: TextVectors) -> None:
    """Write aside, sync, and rename into place.

    Raises:
        StorageError: when the disk refuses.
    """
    aside = file.with_name(f"{file.name}.new")
    with storage_errors(file):
        with aside.open("wb") as out:
            np.savez(
                out,
                key=np.frombuffer(found.key.encode(), dtype=np.uint8),
                rules=found.rules,
                fields=found.fields,
                hashes=found.hashes,
                vectors=found.vectors,
            )
            out.flush()
            os.fsync(out.fileno())
        aside.replace(file)
        sync_folder(file.parent)


def keep_aside(file: Path) -> None:
    """Rename a damaged file for its owner to look at."""
    with storage_errors(file):
        file.rename(file.with_name(f"{file.name}.{secrets.token_hex(2)}.damaged"))


def other_files(folder: Path, release_file: str) -> Iterator[Path]:
    """Yield the folder's further files of vectors, half-built ones of the release included: texts rarely
    change from one release to the next."""
    own = vectors_file(folder, release_file)
    for pattern in (f"*{SUFFIX}", f"*{_PARTIAL}"):
        yield from (file for file in sorted(folder.glob(pattern)) if file != own)


def remove_unnamed(folder: Path, finished: str) -> None:
    """Delete the vectors of releases the pointer no longer names, and what the build of `finished` left."""
    pointer = read_pointer(folder)
    named: Sequence[str] = [entry.file for entry in pointer.releases] if pointer else ()
    kept = {vectors_file(folder, name) for name in named}
    kept |= {partial_file(folder, name) for name in named if name != finished}
    for file in folder.glob(f"*{SUFFIX}*"):
        if file not in kept and not file.name.endswith(".damaged"):
            file.unlink(missing_ok=True)


@contextmanager
def _damage_said(file: Path) -> Iterator[None]:
    """Turn what a damaged archive raises into a `KnowledgeCorruptError` that names the file."""
    try:
        yield
    except Exception as error:
        # What a damaged archive makes zipfile and numpy raise has no end.
        raise KnowledgeCorruptError(
            f"The vectors in {file} are damaged: {error}.",
            "`hexcore data vectors` keeps the file aside and builds them anew.",
        ) from error


def _text(array: NDArray[np.uint8]) -> str:
    return array.tobytes().decode("utf-8", "replace")
