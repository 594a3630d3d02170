"""Every row of logits the loop draws from, against a plain forward over the same tokens, in fp32."""

from __future__ import annotations

from typing import Any

import pytest

from hexcore_engine.inference.decoders.base import ChatMessage

torch = pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = pytest.mark.slow

from benchmarks.compared_decoder import ComparedDecoder  # noqa: E402
from hexcore_engine.models.loader import LoadedTorchModel, load_torch_model  # noqa: E402
from tests.unit.tiny_models import make_llama  # noqa: E402

TOLERANCE = 1e-3
QUESTION = (ChatMessage("system", "Answer."), ChatMessage("user", "[702.19b] damage is left. What then?"))
RULES = ("702.19b", "510.1c")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedTorchModel:
    folder = make_llama(tmp_path_factory.mktemp("models") / "llama", context_tokens=512)
    return load_torch_model(folder, "none", device_map="cpu", dtype=torch.float32)


def test_chunked_logits_are_those_of_a_plain_forward(loaded: LoadedTorchModel) -> None:
    decoder = ComparedDecoder(loaded, prefill_chunk=7)
    decoder.write(QUESTION, 20)
    assert decoder.compared >= 20 + len(decoder._encode(QUESTION)) // 7
    assert decoder.difference <= TOLERANCE


def test_cached_and_forked_logits_are_those_of_a_plain_forward(loaded: LoadedTorchModel) -> None:
    decoder = ComparedDecoder(loaded)
    first = decoder.write(QUESTION, 20)
    assert decoder.write(QUESTION, 20) == first
    assert decoder.difference <= TOLERANCE
    for question in ("And then?", "And with first strike?"):
        follow_up = (*QUESTION, ChatMessage("assistant", first), ChatMessage("user", question))
        decoder.write(follow_up, 10)
        assert decoder.difference <= TOLERANCE
        assert decoder.kv_cache_manager.statistics().reused_tokens > 0


@pytest.mark.parametrize("options", [{}, {"temperature": 0.1, "seed": 4}, {"citable_rules": RULES}])
def test_drafted_logits_are_those_of_a_plain_forward(
    loaded: LoadedTorchModel, options: dict[str, Any]
) -> None:
    decoder = ComparedDecoder(loaded, drafting=True)
    text = decoder.write(QUESTION, 60, **options)
    assert decoder.drafted > 0
    assert decoder.difference <= TOLERANCE
    assert text == ComparedDecoder(loaded).write(QUESTION, 60, **options)
