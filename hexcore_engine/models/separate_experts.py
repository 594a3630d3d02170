"""Experts of a mixture as layers of their own, so that bitsandbytes shrinks them.

transformers holds all experts of a layer in two tensors, which bitsandbytes does not know and leaves whole.
Where a model is quantised its experts are built as plain linear layers under the names of the file, before
any weight is read: each is shrunk as it is read, and the whole never lies in memory.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers.core_model_loading import WeightConverter
from transformers.quantizers.auto import AUTO_QUANTIZER_MAPPING
from transformers.quantizers.quantizer_bnb_4bit import Bnb4BitHfQuantizer
from transformers.quantizers.quantizer_bnb_8bit import Bnb8BitHfQuantizer

from hexcore_engine.models.torch_folder import SEPARABLE_EXPERTS

_FUSED = ("experts.gate_up_proj", "experts.down_proj")


class SeparateExpert(nn.Module):  # type: ignore[misc]
    """One gated feed-forward layer; `names` are those of its gate, up and down weights."""

    def __init__(self, names: tuple[str, str, str], hidden: int, inner: int, act_fn: Any, dtype: Any) -> None:
        super().__init__()
        self._names = names
        self.act_fn = act_fn
        for name, width, height in zip(names, (hidden, hidden, inner), (inner, inner, hidden), strict=True):
            self.add_module(name, nn.Linear(width, height, bias=False, dtype=dtype))

    def forward(self, hidden_states: Any) -> Any:
        """Return what the expert makes of [tokens, hidden]."""
        gate, up, down = (self.get_submodule(name) for name in self._names)
        return down(self.act_fn(gate(hidden_states)) * up(hidden_states))


class SeparateExperts(nn.ModuleList):  # type: ignore[misc]
    """The experts of one layer; called as transformers calls its fused ones."""

    def forward(self, hidden_states: Any, top_k_index: Any, top_k_weights: Any) -> Any:
        """Return the weighted sum of what each token's experts make of it; `hidden_states` [tokens, hidden],
        index and weights [tokens, experts of a token]."""
        found = torch.zeros_like(hidden_states)
        for number in top_k_index.unique().tolist():
            tokens, places = torch.where(top_k_index == number)
            made = self[number](hidden_states[tokens]) * top_k_weights[tokens, places, None]
            found.index_add_(0, tokens, made.to(found.dtype))
        return found


def separate_experts(model: Any) -> bool:
    """Replace the fused experts of a model without weights (on the meta device); returns whether it has
    any that can be."""
    names = SEPARABLE_EXPERTS.get(model.config.model_type)
    fused = [(name, module) for name, module in model.named_modules() if name.endswith(".experts")]
    if names is None or not fused:
        return False
    for name, module in fused:
        num_experts, hidden, inner = module.down_proj.shape
        with torch.device("meta"):
            experts = (
                SeparateExpert(names, hidden, inner, module.act_fn, module.down_proj.dtype)
                for _ in range(num_experts)
            )
            model.set_submodule(name, SeparateExperts(experts))
    return True


class _SeparatingExperts:
    """What is added to transformers' quantisers."""

    def _process_model_before_weight_loading(self, model: Any, *arguments: Any, **options: Any) -> Any:
        separate_experts(model)
        return super()._process_model_before_weight_loading(model, *arguments, **options)  # type: ignore[misc]

    def update_weight_conversions(self, weight_conversions: list[Any], model: Any) -> Any:
        if any(isinstance(module, SeparateExperts) for module in model.modules()):
            weight_conversions = [item for item in weight_conversions if not _fuses_experts(item)]
        return super().update_weight_conversions(weight_conversions, model)  # type: ignore[misc]


class _Separating4Bit(_SeparatingExperts, Bnb4BitHfQuantizer):  # type: ignore[misc]
    pass


class _Separating8Bit(_SeparatingExperts, Bnb8BitHfQuantizer):  # type: ignore[misc]
    pass


def _fuses_experts(conversion: Any) -> bool:
    targets = getattr(conversion, "target_patterns", ())
    return isinstance(conversion, WeightConverter) and any(target.endswith(_FUSED) for target in targets)


def quantise_experts_too() -> None:
    """Let bitsandbytes' quantisers of transformers separate experts, from now on in this process."""
    AUTO_QUANTIZER_MAPPING["bitsandbytes_4bit"] = _Separating4Bit
    AUTO_QUANTIZER_MAPPING["bitsandbytes_8bit"] = _Separating8Bit
