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
from hexcore_engine.lazy_names import lazy_names

if TYPE_CHECKING:
    from hexcore_engine.inference.pipeline import HexcorePipeline
    from hexcore_engine.models.adapters import apply_expert_adapter

__version__ = "0.1.0"

# Asked for by the Fan Content Policy, word for word.
FAN_CONTENT_NOTICE = (
    "Hexcore is unofficial Fan Content permitted under the Fan Content Policy. Not approved/endorsed by "
    "Wizards. Portions of the materials used are property of Wizards of the Coast. ©Wizards of the Coast LLC."
)

__all__ = [
    "FAN_CONTENT_NOTICE",
    "DeviceMappingError",
    "ExpertAdapterError",
    "HexcoreError",
    "HexcorePipeline",
    "KnowledgeRetrievalError",
    "__version__",
    "apply_expert_adapter",
]

__getattr__ = lazy_names(
    __name__, {"HexcorePipeline": "inference.pipeline", "apply_expert_adapter": "models.adapters"}
)
