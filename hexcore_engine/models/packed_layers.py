"""Encoder layers in bfloat16 for one text at a time, whose weights are laid out for the processor once.

torch 2.13 lays them out anew whenever a layer is called; with a text of 20 tokens that is a third of the
time. Its compiler avoids it by operations without a public name; where they are absent or compute something
else, `packed_layers` gives None and the layers are called as they are.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

logger = logging.getLogger(__name__)
# The layout depends on how many tokens come at once; this is about a question's.
_USUAL_TOKENS = 24
# Of the states of our layers and of torch's own; 0.9995 where both are right.
_LEAST_LIKENESS = 0.99


class PackedLayers:
    """What a sequence of torch's `TransformerEncoderLayer` computes, for layers with GELU, norms last and
    the batch first."""

    def __init__(self, layers: Sequence[Any]) -> None:
        """Raises whatever torch raises where an operation is absent."""
        self._num_heads = layers[0].self_attn.num_heads
        self._layers = [_Packed(layer) for layer in layers]

    def __call__(self, states: Any) -> Any:
        """Return the last hidden states for those of one text without padding, both [1, token, width]."""
        for layer in self._layers:
            states = layer(states, self._num_heads)
        return states


class _Packed:
    """One layer."""

    def __init__(self, layer: Any) -> None:
        attention = layer.self_attn
        self._inward = _pack(attention.in_proj_weight, attention.in_proj_bias)
        self._outward = _pack(attention.out_proj.weight, attention.out_proj.bias)
        self._wide = _pack(layer.linear1.weight, layer.linear1.bias)
        self._narrow = _pack(layer.linear2.weight, layer.linear2.bias)
        self._norms = [
            (norm.weight.detach(), norm.bias.detach(), norm.eps) for norm in (layer.norm1, layer.norm2)
        ]

    def __call__(self, states: Any, num_heads: int) -> Any:
        import torch.nn.functional as functional

        _, num_tokens, width = states.shape
        parts = _linear(states, self._inward).view(1, num_tokens, 3, num_heads, width // num_heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        heads = functional.scaled_dot_product_attention(query, key, value)
        attended = heads.transpose(1, 2).reshape(1, num_tokens, width)
        states = self._norm(0, states + _linear(attended, self._outward))
        inner = _linear(states, self._wide, "gelu")
        return self._norm(1, states + _linear(inner, self._narrow))

    def _norm(self, number: int, states: Any) -> Any:
        import torch.nn.functional as functional

        weight, bias, epsilon = self._norms[number]
        return functional.layer_norm(states, weight.shape, weight, bias, epsilon)


def packed_layers(layers: Sequence[Any]) -> PackedLayers | None:
    """Pack layers of bfloat16; None where torch can't, or where the result would be another."""
    import torch

    try:
        packed = PackedLayers(layers)
        width = layers[0].linear1.in_features
        sample = torch.randn((1, 7, width), generator=torch.Generator().manual_seed(0)).bfloat16()
        with torch.inference_mode():
            ours, theirs = packed(sample), sample
            for layer in layers:
                theirs = layer(theirs)
        flat = (states.float().flatten() for states in (ours, theirs))
        likeness = float(torch.nn.functional.cosine_similarity(*flat, dim=0))
    except (RuntimeError, AttributeError, TypeError) as error:
        logger.info("sentence layers are not packed: %s", type(error).__name__)
        return None
    if not likeness >= _LEAST_LIKENESS:
        logger.info("sentence layers are not packed: likeness %.3f", likeness)
        return None
    return packed


def _pack(weight: Any, bias: Any) -> tuple[Any, Any]:
    import torch

    packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach().clone(), _USUAL_TOKENS)
    return packed, bias.detach()


def _linear(states: Any, packed: tuple[Any, Any], then: str = "none") -> Any:
    import torch

    # The last is the kind of GELU: the exact one.
    return torch.ops.mkldnn._linear_pointwise(states, *packed, then, [], "none")
