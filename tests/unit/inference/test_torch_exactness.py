"""Every row of logits the loop draws from, against a plain forward over the same tokens, in fp32."""

from __future__ import annotations

from typing import Any

import pytest

from hexcore_engine.inference.decoders.base import ChatMessage, DecodedText, DecodeRequest, StopSignal

torch = pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = pytest.mark.slow

from hexcore_engine.inference.decoders.torch_decoder import TorchDecoder  # noqa: E402
from hexcore_engine.models.loader import LoadedTorchModel, load_torch_model  # noqa: E402
from tests.unit.tiny_models import make_llama  # noqa: E402

TOLERANCE = 1e-3
QUESTION = (ChatMessage("system", "Answer."), ChatMessage("user", "[702.19b] damage is left. What then?"))
RULES = ("702.19b", "510.1c")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedTorchModel:
    folder = make_llama(tmp_path_factory.mktemp("models") / "llama", context_tokens=512)
    return load_torch_model(folder, "none", device_map="cpu", dtype=torch.float32)


class ComparedDecoder(TorchDecoder):
    """Compares each forward of the loop with a plain one."""

    def __init__(self, loaded: LoadedTorchModel, **options: Any) -> None:
        given = {"context_tokens": 512, "threads": 1, "prompt_cache_mb": 16, "drafting": False} | options
        super().__init__(loaded, **given)
        self.tokens: list[int] = []
        self.compared = 0
        self.drafted = 0

    def write(self, messages: tuple[ChatMessage, ...], max_tokens: int, **options: Any) -> str:
        """Write an answer, every row compared."""
        self.tokens, self.compared, self.drafted = self._encode(messages), 0, 0
        items = self.generate(DecodeRequest(messages, max_tokens, **options), StopSignal())
        return "".join(item.text for item in items if isinstance(item, DecodedText))

    def _forward(self, tokens: list[int], batch: Any, num_logits: int) -> Any:
        self.tokens[batch.num_tokens :] = [
            *tokens,
            *self.tokens[batch.num_tokens + len(tokens) :],
        ]
        rows = super()._forward(tokens, batch, num_logits)
        known = self.tokens[: batch.num_tokens]
        with torch.inference_mode():
            plain = self.torch_model(input_ids=torch.tensor([known])).logits[0, -num_logits:]
        torch.testing.assert_close(rows, plain, atol=TOLERANCE, rtol=0)
        self.compared += num_logits
        self.drafted += num_logits - 1
        return rows


def test_chunked_logits_are_those_of_a_plain_forward(loaded: LoadedTorchModel) -> None:
    decoder = ComparedDecoder(loaded, prefill_chunk=7)
    decoder.write(QUESTION, 20)
    assert decoder.compared >= 20 + len(decoder._encode(QUESTION)) // 7


def test_cached_and_forked_logits_are_those_of_a_plain_forward(loaded: LoadedTorchModel) -> None:
    decoder = ComparedDecoder(loaded)
    first = decoder.write(QUESTION, 20)
    assert decoder.write(QUESTION, 20) == first
    for question in ("And then?", "And with first strike?"):
        follow_up = (*QUESTION, ChatMessage("assistant", first), ChatMessage("user", question))
        decoder.write(follow_up, 10)
        assert decoder.kv_cache_manager.statistics().reused_tokens > 0


@pytest.mark.parametrize("options", [{}, {"temperature": 0.1, "seed": 4}, {"citable_rules": RULES}])
def test_drafted_logits_are_those_of_a_plain_forward(
    loaded: LoadedTorchModel, options: dict[str, Any]
) -> None:
    decoder = ComparedDecoder(loaded, drafting=True)
    text = decoder.write(QUESTION, 60, **options)
    assert decoder.drafted > 0
    assert text == ComparedDecoder(loaded).write(QUESTION, 60, **options)
