"""A linear layer in 8-bit integers, for processors that multiply them several times as fast as floats.

Rows of weights and of inputs are each scaled to -127..127 (torch 2.13's `_int_mm`; without AVX512-VNNI it
computes element by element, so such processors keep their floats).
"""

from __future__ import annotations

from typing import Any

from hexcore_engine.utils.device import cpu_flags

_LARGEST = 127
_SMALLEST_SCALE = 1e-12


def cpu_has_fast_int8() -> bool:
    """Whether this processor multiplies 8-bit integers in hardware, and torch makes use of it."""
    import torch

    return "avx512_vnni" in cpu_flags() and hasattr(torch, "_int_mm")


class Int8Linear:
    """`weight` [outputs, inputs] and `bias` [outputs], rounded once."""

    def __init__(self, weight: Any, bias: Any) -> None:
        import torch

        self._scale = _scale_of(weight)
        self._weight = (weight / self._scale).round().to(torch.int8).t().contiguous()
        self._scale = self._scale.flatten()
        self._bias = bias

    def __call__(self, inputs: Any) -> Any:
        """Return [..., outputs] of [..., inputs]."""
        import torch

        rows = inputs.flatten(0, -2)
        scale = _scale_of(rows)
        products = torch._int_mm((rows / scale).round_().to(torch.int8), self._weight)
        return (products * (scale * self._scale)).add_(self._bias).unflatten(0, inputs.shape[:-1])


def _scale_of(rows: Any) -> Any:
    return rows.abs().amax(dim=1, keepdim=True).clamp_min(_SMALLEST_SCALE) / _LARGEST
