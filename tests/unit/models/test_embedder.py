from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hexcore_engine.errors import ModelMissingError
from hexcore_engine.models.embedder import WIDTH, SentenceEmbedder, missing_libraries
from hexcore_engine.utils.device import cpu_has_fast_bf16
from tests.conftest import paths_of


def test_without_its_libraries_or_files_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError) as caught:
        SentenceEmbedder(tmp_path)
    assert ("EXTRAS=torch" if missing_libraries() else "hexcore setup") in caught.value.remedy


@pytest.mark.slow
def test_sentences_of_like_meaning_are_alike(sentence_model: Path) -> None:
    embedder = SentenceEmbedder(paths_of(sentence_model).sentence_model_dir)
    texts = ["A dog runs in the park.", "The puppy races across the lawn.", "Taxes are due in April.", ""]
    vectors = embedder.embed([*texts, "word " * 3000])
    assert vectors.shape == (5, WIDTH)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    alone = embedder.embed([texts[1]])
    assert np.abs(alone[0] - vectors[1]).max() < 1e-5
    embedder.close()


@pytest.mark.slow
def test_rounded_vectors_are_like_the_exact_ones(sentence_model: Path) -> None:
    folder = paths_of(sentence_model).sentence_model_dir
    texts = ["Can I respond to a split second spell?", "A dog runs.", "", "word " * 400]
    exact, rounded = (SentenceEmbedder(folder, rounded=rounded) for rounded in (False, True))
    likeness = np.sum(exact.embed(texts) * rounded.embed(texts), axis=1)
    assert likeness.min() > 0.999
    # A question comes alone and takes another way.
    alone = [float((exact.embed([text]) * rounded.embed([text])).sum()) for text in texts]
    assert min(alone) > 0.999
    assert (likeness.max() < 0.9999999) == cpu_has_fast_bf16()
    exact.close()
    rounded.close()


@pytest.mark.slow
def test_a_text_embedded_alone_is_known_for_a_while(sentence_model: Path) -> None:
    embedder = SentenceEmbedder(paths_of(sentence_model).sentence_model_dir)
    (vector,) = embedder.embed(["lantern"])
    embedder.embed(["teapot", "kettle"])
    known = embedder.known("lantern")
    assert known is not None
    assert (known == vector).all()
    assert (embedder.embed(["lantern"])[0] == vector).all()
    assert embedder.known("teapot") is None
    for number in range(8):
        embedder.embed([f"lantern {number}"])
    assert embedder.known("lantern") is None
    assert embedder.known("lantern 0") is not None
    embedder.close()


@pytest.mark.slow
def test_it_computes_on_its_own_threads_and_leaves_those_of_others(sentence_model: Path) -> None:
    import torch

    before = torch.get_num_threads()
    embedder = SentenceEmbedder(paths_of(sentence_model).sentence_model_dir, threads=1)
    embedder.embed(["lantern"])
    assert torch.get_num_threads() == before
    assert embedder.run(torch.get_num_threads) == 1
    embedder.close()


@pytest.mark.slow
def test_a_damaged_model_is_said(sentence_model: Path, tmp_path: Path) -> None:
    whole = paths_of(sentence_model).sentence_model_dir
    for file in whole.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ModelMissingError, match="can't be read"):
        SentenceEmbedder(tmp_path)
