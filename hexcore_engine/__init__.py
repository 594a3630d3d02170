"""Hexcore: rules answers for Magic: The Gathering, with the rules that decide them.

Importing this package is cheap: the heavy names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hexcore_engine.errors import (
    DeviceMappingError,
    ExpertAdapterError,
    HexcoreError,
    KnowledgeRetrievalError,
)

if TYPE_CHECKING:
    from hexcore_engine.inference.pipeline import HexcorePipeline

__version__ = "0.1.0"

__all__ = [
    "DeviceMappingError",
    "ExpertAdapterError",
    "HexcoreError",
    "HexcorePipeline",
    "KnowledgeRetrievalError",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name == "HexcorePipeline":
        from hexcore_engine.inference.pipeline import HexcorePipeline

        return HexcorePipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
