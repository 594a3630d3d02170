"""What a model will take and what it took: a plan by part before loading, an audit after it.

The plan is counted on the meta device, where weights have shapes and no bytes, after the quantiser has
replaced the modules it is going to replace.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hexcore_engine.errors import DeviceMappingError
from hexcore_engine.models.quantization import Quantization, quantization_config
from hexcore_engine.utils.tensor import tensor_bytes

# Bytes of scales beside NF4 weights with double quantisation: one byte a block of 64, a 32-bit scale every
# 256 blocks, and a table of 256 numbers a tensor; 8-bit rows hold one 32-bit scale each.
_NF4_BLOCK = 64
_NF4_OUTER_BLOCK = 256
_NF4_TABLE_BYTES = 1024
# This share of the weights that should be quantised may stay as they are (odd shapes).
TOLERATED_SHARE = 0.02


@dataclass(frozen=True)
class WeightPlan:
    """Predicted bytes of the weights. `unquantised_bytes` is the part that stays in 16 or 32 bits though
    the quantisation asked for should have shrunk it."""

    quantization: Quantization
    quantised_bytes: int
    kept_bytes: int
    unquantised_bytes: int

    @property
    def weights_bytes(self) -> int:
        """All weights together."""
        return self.quantised_bytes + self.kept_bytes + self.unquantised_bytes


def plan_weights(folder: Path, kind: Quantization, dtype: Any) -> WeightPlan:
    """Count a model folder's weights as they will be after loading, without reading any."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(str(folder), trust_remote_code=False)
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config, dtype=dtype)
    quantiser_config = quantization_config(kind, dtype)
    if quantiser_config is not None:
        from transformers.quantizers.auto import AutoHfQuantizer

        quantiser = AutoHfQuantizer.from_config(quantiser_config)
        quantiser.pre_quantized = False
        quantiser.preprocess_model(model=model, device_map=None)
    return _count(model, kind, dtype.itemsize)


def audit_weights(model: Any, plan: WeightPlan) -> int:
    """Return the bytes of a loaded model's weights.

    Raises:
        DeviceMappingError: when weights that should have been quantised are not, with the numbers.
    """
    measured = _measure(model, plan.quantization)
    if plan.quantization != "none":
        _refuse_unquantised(measured)
    return measured.weights_bytes


def refuse_unfit(plan: WeightPlan, available_bytes: int | None) -> None:
    """Raise `DeviceMappingError` when a plan can't work: too little memory, or weights that stay whole."""
    if plan.quantization != "none":
        _refuse_unquantised(plan)
    if available_bytes is not None and plan.weights_bytes > available_bytes:
        raise DeviceMappingError(
            f"The weights need {_mib(plan.weights_bytes)} and {_mib(available_bytes)} may be used.",
            "Choose a smaller model, more quantisation (`--quantization 4bit`), or a server: "
            "`hexcore models use http://host/v1`.",
        )


def _refuse_unquantised(plan: WeightPlan) -> None:
    should = plan.quantised_bytes + plan.unquantised_bytes
    if plan.unquantised_bytes <= TOLERATED_SHARE * should:
        return
    raise DeviceMappingError(
        f"{_mib(plan.unquantised_bytes)} of {_mib(plan.weights_bytes)} would stay unquantised although "
        f"{plan.quantization} was asked for: this model keeps its experts in fused tensors that bitsandbytes "
        "can't shrink.",
        "Serve it elsewhere with AWQ, GPTQ or FP8 weights and name that server: "
        "`hexcore models use http://host/v1`; or use a GGUF of it.",
    )


def _count(model: Any, kind: Quantization, itemsize: int) -> WeightPlan:
    sizes: Counter[str] = Counter()
    for name, parameter in _own_parameters(model):
        part = _part(name, parameter, kind)
        values = parameter.numel()
        if part != "quantised":
            sizes[part] += values * itemsize
        elif kind == "4bit":
            blocks = -(-values // _NF4_BLOCK)
            sizes[part] += -(-values // 2) + blocks + 4 * -(-blocks // _NF4_OUTER_BLOCK) + _NF4_TABLE_BYTES
        else:
            sizes[part] += values + 4 * parameter.shape[0]
    return WeightPlan(kind, sizes["quantised"], sizes["kept"], sizes["unquantised"])


def _measure(model: Any, kind: Quantization) -> WeightPlan:
    sizes: Counter[str] = Counter()
    for name, parameter in _own_parameters(model):
        part = _part(name, parameter, kind)
        num_bytes = tensor_bytes(parameter)
        if part == "quantised":
            num_bytes += _scale_bytes(parameter)
        sizes[part] += num_bytes
    return WeightPlan(kind, sizes["quantised"], sizes["kept"], sizes["unquantised"])


def _own_parameters(model: Any) -> list[tuple[str, Any]]:
    # Tied weights come once.
    return list(model.named_parameters(remove_duplicate=True))


def _part(name: str, parameter: Any, kind: Quantization) -> str:
    if kind == "none":
        return "kept"
    if type(parameter).__name__ in ("Params4bit", "Int8Params"):
        return "quantised"
    # Norms, biases, embeddings, the head and a router's gate are left whole on purpose.
    whole = ("embed", "lm_head", "norm", "router", "mlp.gate.weight", "block_sparse_moe.gate.weight")
    if parameter.ndim < 2 or any(word in name for word in whole):
        return "kept"
    return "unquantised"


def _scale_bytes(parameter: Any) -> int:
    state = getattr(parameter, "quant_state", None)
    if state is not None:
        scales = [state.absmax]
        if state.nested:
            scales += [state.state2.absmax, state.state2.code]
        return sum(tensor_bytes(scale) for scale in scales)
    scale = getattr(parameter, "SCB", None)
    return tensor_bytes(scale) if scale is not None else 0


def _mib(num_bytes: int) -> str:
    return f"{num_bytes / 2**20:,.0f} MiB"
