"""Weights in 4 or 8 bits: which kind fits a machine, its configuration, and a known defect mended."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Any, Literal

from hexcore_engine.errors import DeviceMappingError, UsageError
from hexcore_engine.utils.device import DeviceCapabilities

Quantization = Literal["4bit", "8bit", "none"]
KINDS: tuple[Quantization, ...] = ("4bit", "8bit", "none")
_FETCHES = "kernels"


def choose_quantization(wanted: str, device: DeviceCapabilities, num_parameters: int) -> Quantization:
    """Return the kind to load: what was asked for; `auto` is 4 bits where 16 would not fit well.

    Raises:
        UsageError: for a kind that does not exist.
    """
    check_quantization(wanted)
    for kind in KINDS:
        if wanted == kind:
            return kind
    if device.device == "cpu":
        return "none" if num_parameters < 1_000_000_000 else "4bit"
    total = device.total_bytes or 0
    return "none" if num_parameters * 2 < total * 0.5 else "4bit"


def check_quantization(wanted: str) -> None:
    """Raise `UsageError` for a kind that does not exist."""
    if wanted not in ("auto", *KINDS):
        raise UsageError(f"There is no quantization {wanted!r}.", f"Known: auto, {', '.join(KINDS)}.")


def compute_dtype(device: DeviceCapabilities) -> Any:
    """Return the dtype computed in: bf16 where the hardware has it, else fp16 on CUDA and fp32 on a CPU."""
    import torch

    if device.fast_bf16:
        return torch.bfloat16
    return torch.float32 if device.device == "cpu" else torch.float16


def quantization_config(kind: Quantization, dtype: Any) -> Any:
    """Return the configuration for transformers, None for "none".

    4 bits are NF4 with double quantisation: without it, weights on a CPU can't be saved or adapted once they
    have been used.

    Raises:
        DeviceMappingError: when bitsandbytes is not installed.
    """
    if kind == "none":
        return None
    if not import_bitsandbytes():
        raise DeviceMappingError(
            f"{kind} weights need bitsandbytes, which is not installed.",
            "Install it with `make setup EXTRAS=torch`, or use `--quantization none`.",
        )
    from transformers import BitsAndBytesConfig

    from hexcore_engine.models.separate_experts import quantise_experts_too

    mend_cpu_unpacking()
    quantise_experts_too()
    if kind == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def import_bitsandbytes() -> bool:
    """Import bitsandbytes without what it would fetch and run; returns whether it is installed.

    Version 0.50, on a processor with AVX512-BF16, asks the package `kernels` for compiled code of the hub as
    soon as it is imported, and its users to install that package where it is missing. To be called before
    peft is imported too, which imports it.
    """
    # Also one line a layer and run about casts that are meant.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    if "bitsandbytes" in sys.modules:
        return True
    before = {name: module for name, module in sys.modules.items() if name == _FETCHES}
    # What importing a name gives that is None here: an ImportError.
    sys.modules[_FETCHES] = None  # type: ignore[assignment]
    try:
        importlib.import_module("bitsandbytes")
    except ImportError:
        return False
    finally:
        del sys.modules[_FETCHES]
        sys.modules.update(before)
    return True


def mend_cpu_unpacking() -> None:
    """Make state_dict() of a used NF4 model on a CPU exact.

    bitsandbytes 0.50.2 turns the block scales round when it packs weights for AVX512 and turns them back
    only where they are quantised themselves; plain NF4 models are destroyed by any state_dict().
    """
    import bitsandbytes.nn.modules as modules

    unpack = getattr(modules, "_convert_weight_packed_for_cpu_inverse", None)
    if unpack is not None and not hasattr(unpack, "is_exact"):

        def unpack_exactly(*arguments: Any, **options: Any) -> Any:
            weight, state = unpack(*arguments, **options)
            if not state.nested and state.absmax.ndim == 2:
                state.absmax = state.absmax.T.reshape(-1).float()
            return weight, state

        unpack_exactly.is_exact = True  # type: ignore[attr-defined]
        modules._convert_weight_packed_for_cpu_inverse = unpack_exactly
