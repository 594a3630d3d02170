"""Packed layers compute what torch's own do, or are not used."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.slow
torch = pytest.importorskip("torch", reason="the extra torch is not installed")

from hexcore_engine.models import packed_layers as module  # noqa: E402 - needs torch
from hexcore_engine.utils.device import cpu_has_fast_bf16  # noqa: E402 - needs torch

WIDTH = 64


@pytest.fixture
def layers() -> list[Any]:
    torch.manual_seed(7)
    made = [
        torch.nn.TransformerEncoderLayer(WIDTH, 4, 128, 0.0, "gelu", layer_norm_eps=1e-12, batch_first=True)
        for _ in range(3)
    ]
    return [layer.eval().bfloat16() for layer in made]


@pytest.mark.skipif(not cpu_has_fast_bf16(), reason="this processor has no products in bfloat16")
@pytest.mark.parametrize("num_tokens", [1, 2, 23, 256])
def test_texts_of_all_lengths_come_out_as_from_the_layers(layers: list[Any], num_tokens: int) -> None:
    packed = module.packed_layers(layers)
    assert packed is not None
    states = torch.randn(1, num_tokens, WIDTH).bfloat16()
    with torch.inference_mode():
        ours, theirs = packed(states), states
        for layer in layers:
            theirs = layer(theirs)
    assert ours.shape == theirs.shape
    # bfloat16 keeps eight bits.
    ours, theirs = ours.float(), theirs.float()
    assert (ours - theirs).abs().max() < 0.1
    assert torch.nn.functional.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.999


def test_operations_that_are_gone_leave_the_layers_as_they_are(
    layers: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any) -> Any:
        return torch.ops.mkldnn.of_another_version

    monkeypatch.setattr(module, "_pack", gone)
    assert module.packed_layers(layers) is None


def test_operations_that_mean_something_else_leave_the_layers_as_they_are(
    layers: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def pack(weight: Any, bias: Any) -> Any:
        return weight.detach(), bias.detach()

    def doubled(states: Any, packed: Any, then: str = "none") -> Any:
        del then
        return 2 * torch.nn.functional.linear(states, *packed)

    monkeypatch.setattr(module, "_pack", pack)
    monkeypatch.setattr(module, "_linear", doubled)
    assert module.packed_layers(layers) is None
    monkeypatch.setattr(
        module, "_linear", lambda states, packed, _="": doubled(states, packed) * float("nan")
    )
    assert module.packed_layers(layers) is None
