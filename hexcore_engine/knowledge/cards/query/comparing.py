"""The six comparisons of card queries, the same for numbers, sets of colours and mana costs."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable
from typing import Any

Comparable = float | frozenset[str] | Counter[str]
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def holds(have: Comparable, comparison: str, wanted: Comparable) -> bool:
    """Whether a comparison of two values of the same kind holds.

    Of sets and costs the larger one has all members or symbols of the other and more, so two may be neither
    larger nor smaller nor equal. What `:` means differs by field and is known there.
    """
    return _COMPARISONS[comparison](have, wanted)
