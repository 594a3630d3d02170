"""Loading a model folder: safetensors alone, no remote code, planned before and audited after."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hexcore_engine.errors import DeviceMappingError, ModelMissingError
from hexcore_engine.models.attention import use_by_head
from hexcore_engine.models.device_map import WeightPlan, audit_weights, plan_weights, refuse_unfit
from hexcore_engine.models.load_times import LoadWatch
from hexcore_engine.models.placement import (
    DeviceMap,
    MaxMemory,
    allowed_bytes,
    choose_device,
    memory_sizes,
    resolved_map,
)
from hexcore_engine.models.quantization import (
    Quantization,
    choose_quantization,
    compute_dtype,
    quantization_config,
)
from hexcore_engine.models.torch_folder import TorchFolder, hide_progress_bars, read_torch_folder
from hexcore_engine.models.weights_read import weights_read
from hexcore_engine.utils.device import DeviceCapabilities
from hexcore_engine.utils.memory import bound_kernel_caches, give_back_freed


@dataclass(frozen=True)
class LoadedTorchModel:
    """A model ready to run. `weights_bytes` was measured, `plan` predicted it."""

    model: Any
    tokenizer: Any
    folder: TorchFolder
    device: DeviceCapabilities
    quantization: Quantization
    plan: WeightPlan
    weights_bytes: int


def load_torch_model(
    folder: Path,
    quantization: str = "auto",
    device_map: DeviceMap = "auto",
    max_memory: MaxMemory | None = None,
    dtype: Any = None,
    watch: LoadWatch | None = None,
) -> LoadedTorchModel:
    """Load a model folder.

    `device_map` is "auto" (the GPU where there is one), "cpu", "cuda", "cuda:1", or accelerate's dict;
    `max_memory` in bytes (or "8GiB") by device number or "cpu". `dtype` None chooses by the hardware.
    `watch` is told how much of the weights was read.

    Raises:
        ModelMissingError: when the folder can't be used.
        UsageError: when a device or a size is none.
        DeviceMappingError: when the weights do not fit, a device is absent, or they did not land as planned.
    """
    found = read_torch_folder(folder)
    bound_kernel_caches()
    device = choose_device(device_map)
    sizes = memory_sizes(max_memory)
    kind = choose_quantization(quantization, device, found.num_parameters)
    dtype = dtype or compute_dtype(device)
    tokenizer = _load_tokenizer(found)
    plan = plan_weights(folder, kind, dtype)
    refuse_unfit(plan, allowed_bytes(sizes, device))
    with weights_read(found.shards, watch):
        model = _load_weights(found, kind, dtype, resolved_map(device_map, device), sizes)
    give_back_freed()
    if device.device == "cpu":
        use_by_head(model)
    return LoadedTorchModel(model, tokenizer, found, device, kind, plan, audit_weights(model, plan))


def _load_tokenizer(found: TorchFolder) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(str(found.folder), trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise _unusable(found, "its tokenizer can't be read") from error
    vocabulary = int(found.config.get("vocab_size") or 0)
    if vocabulary and not vocabulary // 2 <= len(tokenizer) <= vocabulary:
        raise _unusable(
            found, f"its tokenizer has {len(tokenizer):,} tokens and the model {vocabulary:,}: not its own"
        )
    if not tokenizer.chat_template:
        raise _unusable(
            found, "it has no chat template, so it was not made to answer", "Choose an instruct model."
        )
    return tokenizer


def _load_weights(
    found: TorchFolder, kind: Quantization, dtype: Any, device_map: DeviceMap, sizes: dict[int | str, int]
) -> Any:
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    hide_progress_bars()
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(
            str(found.folder),
            dtype=dtype,
            device_map=device_map,
            max_memory=sizes if sizes and device_map == "auto" else None,
            quantization_config=quantization_config(kind, dtype),
            use_safetensors=True,
            # Mapped, the whole file would stay in memory for the few weights that are not quantised.
            disable_mmap=kind != "none",
            trust_remote_code=False,
        )
    except torch.cuda.OutOfMemoryError as error:
        raise DeviceMappingError(
            "The device ran out of memory while the weights were loaded.",
            "Use `--quantization 4bit`, a smaller model, or a server.",
        ) from error
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise _unusable(found, f"its weights can't be loaded ({type(error).__name__})") from error
    return model.eval()


def _unusable(found: TorchFolder, why: str, remedy: str | None = None) -> ModelMissingError:
    return ModelMissingError(
        f"The model folder {found.folder} can't be used: {why}.",
        remedy or "Fetch the model again, or choose another with `hexcore models use`.",
    )
