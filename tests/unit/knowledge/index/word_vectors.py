"""Small deterministic parts at the seams of vectors: an embedder of single words, and an index held in
memory."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.knowledge.index.base import NOT_READY, Absence, NearTexts
from hexcore_engine.knowledge.index.postings import FIELDS

WIDTH = 64
Floats = NDArray[np.float32]


class EmbedderEndedError(Exception):
    """The machine went down."""


class WordEmbedder:
    """Texts of the same words are alike. Counts what it was asked; ends after `most` texts."""

    def __init__(self, most: int | None = None) -> None:
        self.texts: list[str] = []
        self._most = most

    def embed(self, texts: Sequence[str]) -> Floats:
        if self._most is not None and len(self.texts) + len(texts) > self._most:
            raise EmbedderEndedError
        self.texts += texts
        vectors = np.full((len(texts), WIDTH), 0.01, dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in re.findall(r"[a-z]+", text.lower()):
                row[zlib.crc32(word.encode()) % WIDTH] += 1
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)

    def known(self, text: str) -> Floats | None:
        return self.embed([text])[0] if text in self.texts else None


class FixedIndex:
    """Finds what it was given, (rule's position, field, likeness), nearest first; nothing when empty."""

    def __init__(self, *found: tuple[int, str, float], absence: Absence = NOT_READY) -> None:
        self.near_texts = near(*found)
        self.asked: list[tuple[str, str]] = []
        self._absence = absence

    def near(self, release_file: str, text: str) -> NearTexts | None:
        self.asked.append((release_file, text))
        return self.near_texts if len(self.near_texts.rules) else None

    def known(self, text: str) -> Floats | None:
        return None

    def absence(self) -> Absence:
        return self._absence


def near(*found: tuple[int, str, float]) -> NearTexts:
    """Near texts from (rule's position, field, likeness)."""
    return NearTexts(
        np.array([rule for rule, _, _ in found], dtype=np.int64),
        np.array([FIELDS.index(field) for _, field, _ in found], dtype=np.int64),
        np.array([likeness for _, _, likeness in found], dtype=np.float32),
    )
