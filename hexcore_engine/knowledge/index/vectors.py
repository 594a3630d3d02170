"""Rules by meaning: the vectors of a release's texts, built from an embedder's and searched with FAISS.

What is embedded are the rules and, each alone, our statements and players' phrases and questions: a question
is near to one of a rule's texts, not to all of them together. Nothing in this room imports this module; the
retriever gets it injected.
"""

from __future__ import annotations

import importlib.util
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.errors import KnowledgeCorruptError, NotSetUpError
from hexcore_engine.knowledge.index.base import NOT_READY, Absence, NearTexts
from hexcore_engine.knowledge.index.postings import FIELDS
from hexcore_engine.knowledge.index.vector_file import (
    TextVectors,
    keep_aside,
    other_files,
    partial_file,
    read_vectors,
    remove_unnamed,
    text_hash,
    vectors_file,
    write_vectors,
)
from hexcore_engine.knowledge.store.pointer import Pointer, ReleaseEntry, read_pointer

Floats = NDArray[np.float32]

# Raised when other texts are embedded or the file's form changes.
VECTORS_FORM = 1
# How many of the nearest texts are looked at: a rule has up to thirty.
NUM_NEAR = 1000
# A build that is ended loses at most this many texts.
_CHUNK = 512


class Embedder(Protocol):
    """Turns texts into vectors of length 1, [texts, width]."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return one vector for each text."""
        ...

    def known(self, text: str) -> Floats | None:
        """Return the vector of a text embedded alone lately, None for any other; never computes."""
        ...


@dataclass(frozen=True)
class ReleaseText:
    """One text about a rule: the rule's position, its field as postings name it, and the words."""

    rule: int
    field: str
    text: str


@dataclass(frozen=True)
class Progress:
    """How many of a release's texts have a vector."""

    done: int
    total: int


def has_faiss() -> bool:
    """Whether the library that searches vectors is installed."""
    return importlib.util.find_spec("faiss") is not None


def vectors_key(pointer: Pointer, entry: ReleaseEntry, embedder_key: str) -> str:
    """Return what a release's vectors are made of: its file, which holds our digest, the embedder and the
    form."""
    return f"{VECTORS_FORM} {embedder_key} {pointer.digests.get(entry.file, entry.file)}"


def release_texts(folder: Path, entry: ReleaseEntry) -> list[ReleaseText]:
    """Return the texts of a release that get a vector, in the order of its rules."""
    connection = sqlite3.connect(f"{(folder / entry.file).as_uri()}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "SELECT rule.position, text, official, rule.plain, said, asks FROM rule"
            " JOIN rule_words ON rule_words.rowid = rule.position ORDER BY rule.position"
        ).fetchall()
    finally:
        connection.close()
    return [ReleaseText(place, *found) for place, *row in rows for found in _texts_of_rule(*row)]


def _texts_of_rule(text: str, official: int, plain: str, said: str, asks: str) -> Iterator[tuple[str, str]]:
    if official:
        yield "body", text
    if plain:
        yield "plain", plain
    yield from (("said", phrase) for phrase in said.split("\n") if phrase)
    yield from (("asks", question) for question in asks.split("\n") if question)


def build_vectors(
    folder: Path, embedder_key: str, open_embedder: Callable[[], Embedder], tell: Callable[[Progress], None]
) -> Progress:
    """Build the vectors of the current release unless they are there; only texts without a vector in another
    file are embedded, and the embedder is opened only for those. One build at a time.

    Raises:
        NotSetUpError: when there is no release.
        StorageError: when the disk refuses.
    """
    pointer = read_pointer(folder)
    entry = pointer.current_release() if pointer else None
    if pointer is None or entry is None:
        raise NotSetUpError("There are no rules to build vectors of.")
    key = vectors_key(pointer, entry, embedder_key)
    texts = release_texts(folder, entry)
    total = Progress(len(texts), len(texts))
    if _is_whole(folder, entry, key):
        return total
    build = _Build(folder, entry, key, texts)
    build.take_known()
    tell(build.progress)
    if build.missing:
        embedder = open_embedder()
        while build.missing:
            build.embed_some(embedder)
            tell(build.progress)
    build.finish()
    return total


def built_so_far(folder: Path, embedder_key: str) -> Progress:
    """Return how many texts of the current release have a vector in its own files, whole or half-built.

    Raises:
        KnowledgeCorruptError: when the whole file is damaged.
    """
    pointer = read_pointer(folder)
    entry = pointer.current_release() if pointer else None
    if pointer is None or entry is None:
        return Progress(0, 0)
    key = vectors_key(pointer, entry, embedder_key)
    total = len(release_texts(folder, entry))
    for file in (vectors_file(folder, entry.file), partial_file(folder, entry.file)):
        found = read_vectors(file)
        if found is not None and found.key == key:
            return Progress(len(found.rules), total)
    return Progress(0, total)


def _is_whole(folder: Path, entry: ReleaseEntry, key: str) -> bool:
    """Whether the vectors are there, every byte checked; damaged ones are kept aside."""
    file = vectors_file(folder, entry.file)
    try:
        found = read_vectors(file)
    except KnowledgeCorruptError:
        keep_aside(file)
        return False
    return found is not None and found.key == key


class _Build:
    """The vectors of one release while they are made."""

    def __init__(self, folder: Path, entry: ReleaseEntry, key: str, texts: list[ReleaseText]) -> None:
        self._folder = folder
        self._entry = entry
        self._key = key
        self._texts = texts
        self._hashes = [text_hash(found.text) for found in texts]
        self._known: dict[bytes, NDArray[np.float16]] = {}
        # Short texts first, so that texts computed together are of like length.
        lengths = {digest: len(found.text) for digest, found in zip(self._hashes, texts, strict=True)}
        self.missing = sorted(lengths, key=lambda digest: lengths[digest])
        self._text_of = {digest: found.text for digest, found in zip(self._hashes, texts, strict=True)}

    @property
    def progress(self) -> Progress:
        """How far it is."""
        done = sum(digest in self._known for digest in self._hashes)
        return Progress(done, len(self._texts))

    def take_known(self) -> None:
        """Take the vectors that other files have of the same texts, from the same embedder."""
        for file in other_files(self._folder, self._entry.file):
            try:
                found = read_vectors(file)
            except KnowledgeCorruptError:
                keep_aside(file)
                continue
            if found is not None and _maker(found.key) == _maker(self._key):
                for digest, vector in zip(found.hashes, found.vectors, strict=True):
                    self._known[digest.tobytes()] = vector
        self.missing = [digest for digest in self.missing if digest not in self._known]

    def embed_some(self, embedder: Embedder) -> None:
        """Embed the next texts and keep what there is."""
        some, self.missing = self.missing[:_CHUNK], self.missing[_CHUNK:]
        vectors = embedder.embed([self._text_of[digest] for digest in some]).astype(np.float16)
        self._known |= dict(zip(some, vectors, strict=True))
        write_vectors(partial_file(self._folder, self._entry.file), self._stored())

    def finish(self) -> None:
        """Put the file in its place and remove what it replaces."""
        write_vectors(vectors_file(self._folder, self._entry.file), self._stored())
        remove_unnamed(self._folder, self._entry.file)

    def _stored(self) -> TextVectors:
        done = [place for place, digest in enumerate(self._hashes) if digest in self._known]
        return TextVectors(
            self._key,
            np.array([self._texts[place].rule for place in done], dtype=np.int32),
            np.array([FIELDS.index(self._texts[place].field) for place in done], dtype=np.uint8),
            np.array([list(self._hashes[place]) for place in done], dtype=np.uint8).reshape(len(done), -1),
            np.array([self._known[self._hashes[place]] for place in done], dtype=np.float16),
        )


def _maker(key: str) -> str:
    """Form and embedder of a key, without its release."""
    return key.rpartition(" ")[0]


class FaissVectors:
    """The index of one release in memory. Read by several threads at once."""

    def __init__(self, stored: TextVectors) -> None:
        import faiss

        self.key = stored.key
        self._rules = stored.rules.astype(np.int64)
        self._fields = stored.fields.astype(np.int64)
        # One query takes 1 ms on one thread, and 16 on two that wait for each other by spinning. How many
        # there are is a property of the thread that asks, which belongs to others.
        self._executor = ThreadPoolExecutor(1, "vectors-search", faiss.omp_set_num_threads, (1,))
        self._index: Any = faiss.IndexScalarQuantizer(
            stored.vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        self._index.add(stored.vectors.astype(np.float32))

    def near(self, vector: Floats) -> NearTexts:
        """Return the texts nearest to a vector."""
        limit = min(NUM_NEAR, len(self._rules))
        likeness, found = self._executor.submit(self._index.search, vector[None, :], limit).result()
        return NearTexts(self._rules[found[0]], self._fields[found[0]], likeness[0])


class VectorSearch:
    """Vectors as the retriever takes them: silent until the index of the release asked for and an embedder
    are in memory."""

    def __init__(self, folder: Path, embedder_key: str) -> None:
        self._folder = folder
        self._embedder_key = embedder_key
        self._read: tuple[str, FaissVectors] | None = None
        self._ready: tuple[str, FaissVectors, Embedder] | None = None

    def near(self, release_file: str, text: str) -> NearTexts | None:
        """Return the texts nearest to `text`; None while that release has no index in memory."""
        ready = self._ready
        if ready is None or ready[0] != release_file:
            return None
        _, index, embedder = ready
        return index.near(embedder.embed([text])[0])

    def known(self, text: str) -> Floats | None:
        """Return the vector of a text looked up lately, None for any other; never computes."""
        return self._ready[2].known(text) if self._ready else None

    def absence(self) -> Absence:
        """Say why `near` gave None."""
        return NOT_READY

    def read(self) -> bool:
        """Read the current release's vectors; whether they are there and up to date.

        Raises:
            KnowledgeCorruptError: when their file is damaged.
        """
        pointer = read_pointer(self._folder)
        entry = pointer.current_release() if pointer else None
        if pointer is None or entry is None:
            return False
        stored = read_vectors(vectors_file(self._folder, entry.file))
        if stored is None or stored.key != vectors_key(pointer, entry, self._embedder_key):
            return False
        self._read = (entry.file, FaissVectors(stored))
        return True

    def begin(self, embedder: Embedder) -> None:
        """Answer from now on with what was read; the first use, which is slow, is made here."""
        if self._read is not None:
            name, index = self._read
            index.near(embedder.embed(["Warm."])[0])
            self._ready = (name, index, embedder)
