"""Vectors in the engine: read when it has started, built in a child process where they are missing or stale.

All of it happens on a thread of its own, after the look-ups and the model; a question never waits for it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from hexcore_engine.errors import HexcoreError, KnowledgeCorruptError
from hexcore_engine.knowledge.store.pointer import read_pointer
from hexcore_engine.paths import Paths
from hexcore_engine.settings import DataSettings
from hexcore_engine.utils.validation import clean_line

if TYPE_CHECKING:
    from hexcore_engine.knowledge.index.base import Absence, Floats, NearTexts
    from hexcore_engine.knowledge.index.vectors import Embedder, VectorSearch

logger = logging.getLogger(__name__)
CHILD = "hexcore_engine.data.vectors"


class VectorKeeper:
    """The retriever's vectors for as long as the engine lives; a `VectorIndex`."""

    def __init__(self, paths: Paths, settings: DataSettings) -> None:
        self._paths = paths
        self._settings = settings
        self._embedder: Embedder | None = None
        self._search: VectorSearch | None = None
        self._absence: Absence | None = None
        self._status = "not ready yet"
        # Set when a question met a release without vectors, and when the engine leaves.
        self._wanted = threading.Event()
        self._closing = False
        self._child: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        # The thread ended because something lacked that set-up may have brought since.
        self._lacking = False
        self._starting = threading.Lock()

    @property
    def status(self) -> str:
        """How things stand, in words."""
        return self._status

    def near(self, release_file: str, text: str) -> NearTexts | None:
        """Return the texts nearest to `text`; None as long as that release has no vectors in memory."""
        found = self._search.near(release_file, text) if self._search else None
        if found is None:
            self._wanted.set()
            self._begin_again()
        return found

    def known(self, text: str) -> Floats | None:
        """Return the vector of a text looked up lately, None for any other; never computes."""
        return self._search.known(text) if self._search else None

    def absence(self) -> Absence:
        """Say why `near` gave None."""
        from hexcore_engine.knowledge.index.base import NOT_READY

        return self._absence or self._lasting_absence() or NOT_READY

    def start(self) -> None:
        """Begin; once is enough."""
        with self._starting:
            if self._thread is None:
                self._begin()

    def close(self) -> None:
        """End a running build, which goes on at the next start."""
        self._closing = True
        self._wanted.set()
        child = self._child
        if child is not None:
            with contextlib.suppress(OSError):
                child.kill()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _begin_again(self) -> None:
        with self._starting:
            if self._lacking and not self._closing and self._lasting_absence() is None:
                self._absence, self._status = None, "not ready yet"
                self._begin()

    def _begin(self) -> None:
        self._lacking = False
        self._thread = threading.Thread(target=self._run, name="vectors", daemon=True)
        self._thread.start()

    # -- on its thread

    def _run(self) -> None:
        try:
            self._keep()
        except Exception:
            logger.exception("vectors failed")
            self._give_up("Vectors failed for an unforeseen reason.", "`hexcore doctor` says what works.")

    def _keep(self) -> None:
        from hexcore_engine.data import vectors
        from hexcore_engine.knowledge.index.vectors import VectorSearch

        if self._lasting_absence() is not None:
            self._lacking = True
            return
        self._search = VectorSearch(self._paths.knowledge_dir, vectors.EMBEDDER_KEY)
        tried = None
        while not self._closing:
            self._wanted.clear()
            try:
                release = self._current_release()
                if release != tried:
                    tried = release
                    self._ensure(self._search)
                else:
                    # A build that failed is not tried again, but a person may have made them by hand since.
                    self._open(self._search)
            except HexcoreError as error:
                self._give_up(error.message, error.remedy)
            self._wanted.wait()

    def _lasting_absence(self) -> Absence | None:
        """Why there can be no vectors here, told as soon as the first question asks."""
        from hexcore_engine.data.vectors import why_absent

        absence = why_absent(self._paths, self._settings)
        if absence is not None:
            self._absence, self._status = absence, f"none: {absence.reason}"
        return absence

    def _ensure(self, search: VectorSearch) -> None:
        """Read the current release's vectors, built first where they are not there."""
        if self._open(search) or self._closing:
            return
        failure = self._build()
        if not self._closing and not self._open(search):
            self._give_up(failure or "The vectors could not be built.", "Run `hexcore data vectors`.")

    def _open(self, search: VectorSearch) -> bool:
        try:
            if not search.read():
                return False
        except KnowledgeCorruptError as error:
            # Told here; the build keeps the file aside.
            logger.warning("%s", error.message)
            return False
        search.begin(self._open_embedder())
        self._absence, self._status = None, "ready"
        logger.info("vectors are ready")
        return True

    def _open_embedder(self) -> Embedder:
        from hexcore_engine.data.vectors import open_embedder

        if self._embedder is None:
            self._embedder = open_embedder(self._paths, rounded=True)
        return self._embedder

    def _build(self) -> str:
        """Build in a child that ends when its pipe does; return what went wrong, in words."""
        self._status = "being built"
        failure = ""
        with subprocess.Popen(
            [sys.executable, "-m", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"HEXCORE_HOME": str(self._paths.home)},
        ) as child:
            self._child = child
            if self._closing:
                child.kill()
            for line in child.stdout or ():
                words = line.split()
                if len(words) == 2 and words[0].isdecimal():
                    self._status = f"being built, {int(words[0]):,} of {int(words[1]):,} texts"
                else:
                    failure = clean_line(line)
            child.wait()
            self._child = None
        return failure

    def _give_up(self, message: str, remedy: str) -> None:
        from hexcore_engine.knowledge.index.base import Absence

        logger.warning("no vectors: %s", message)
        self._absence, self._status = Absence(message, remedy), f"none: {message}"

    def _current_release(self) -> str:
        pointer = read_pointer(self._paths.knowledge_dir)
        entry = pointer.current_release() if pointer else None
        return entry.file if entry else ""
