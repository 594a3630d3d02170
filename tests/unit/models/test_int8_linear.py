from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hexcore_engine.models.embedder import SentenceEmbedder
from hexcore_engine.models.int8_linear import Int8Linear, cpu_has_fast_int8
from tests.conftest import paths_of

torch = pytest.importorskip("torch", reason="the torch extra is not installed")


def test_it_is_the_linear_layer_to_a_hundredth_and_rows_of_zeros_give_the_bias() -> None:
    generator = torch.Generator().manual_seed(7)
    weight = torch.randn(48, 64, generator=generator)
    bias = torch.randn(48, generator=generator)
    inputs = torch.randn(2, 5, 64, generator=generator)
    inputs[1, 4] = 0
    exact = torch.nn.functional.linear(inputs, weight, bias)
    rounded = Int8Linear(weight, bias)(inputs)
    assert rounded.shape == exact.shape
    assert (rounded - exact).abs().max() < 0.02 * exact.abs().max()
    assert torch.equal(rounded[1, 4], bias)


@pytest.mark.slow
@pytest.mark.skipif(not cpu_has_fast_int8(), reason="this processor has no AVX512-VNNI")
def test_rounded_vectors_are_like_the_exact_ones(sentence_model: Path) -> None:
    folder = paths_of(sentence_model).sentence_model_dir
    texts = ["Can I respond to a split second spell?", "A dog runs.", "word " * 400]
    exact, rounded = (SentenceEmbedder(folder, rounded=rounded) for rounded in (False, True))
    likeness = np.sum(exact.embed(texts) * rounded.embed(texts), axis=1)
    assert likeness.min() > 0.99
    assert likeness.max() < 0.99999
    exact.close()
    rounded.close()
