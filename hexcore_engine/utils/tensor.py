"""What several rooms ask of torch's tensors: how many bytes, and whether they can be chosen from.

Nothing here imports torch; whoever has a tensor has it loaded.
"""

from __future__ import annotations

from typing import Any


def tensor_bytes(tensor: Any) -> int:
    """Return the bytes of a tensor's values, those of a packed one as they are packed. A view counts what it
    shows, not what it keeps alive."""
    return int(tensor.numel()) * int(tensor.element_size())


def is_choosable(logits: Any) -> bool:
    """Whether a token can be drawn from logits [vocabulary]: none is NaN and at least one is finite. Minus
    infinity forbids a token and is no defect."""
    return bool(logits.isfinite().any()) and not bool(logits.isnan().any())
