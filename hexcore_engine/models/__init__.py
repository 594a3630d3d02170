"""Models at hand, and the router that chooses a mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hexcore_engine.lazy_names import lazy_names

if TYPE_CHECKING:
    from hexcore_engine.models.adapter_files import AdapterManifest, read_adapter
    from hexcore_engine.models.adapter_index import AdapterIndex, AdapterRecord
    from hexcore_engine.models.adapter_install import install_adapter
    from hexcore_engine.models.adapters import ExpertAdapterManager, apply_expert_adapter
    from hexcore_engine.models.catalog import describe, list_models
    from hexcore_engine.models.cross_expert import CrossExpertAttention
    from hexcore_engine.models.fit import ModelFit, plan_fit
    from hexcore_engine.models.gguf import GgufHeader, read_gguf_header
    from hexcore_engine.models.loader import LoadedTorchModel, load_torch_model
    from hexcore_engine.models.router import TransactionClassifier

__all__ = [
    "AdapterIndex",
    "AdapterManifest",
    "AdapterRecord",
    "CrossExpertAttention",
    "ExpertAdapterManager",
    "GgufHeader",
    "LoadedTorchModel",
    "ModelFit",
    "TransactionClassifier",
    "apply_expert_adapter",
    "describe",
    "install_adapter",
    "list_models",
    "load_torch_model",
    "plan_fit",
    "read_adapter",
    "read_gguf_header",
]

__getattr__ = lazy_names(
    __name__,
    {
        "AdapterIndex": "adapter_index",
        "AdapterManifest": "adapter_files",
        "AdapterRecord": "adapter_index",
        "CrossExpertAttention": "cross_expert",
        "ExpertAdapterManager": "adapters",
        "GgufHeader": "gguf",
        "LoadedTorchModel": "loader",
        "ModelFit": "fit",
        "TransactionClassifier": "router",
        "apply_expert_adapter": "adapters",
        "describe": "catalog",
        "install_adapter": "adapter_install",
        "list_models": "catalog",
        "load_torch_model": "loader",
        "plan_fit": "fit",
        "read_adapter": "adapter_files",
        "read_gguf_header": "gguf",
    },
)
