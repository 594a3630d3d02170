"""Whether a model fits this machine, with the arithmetic: weights, cache, workspace against what is free."""

from __future__ import annotations

import msgspec

from hexcore_engine.models.catalog import decoder_of, describe, model_file, model_folder
from hexcore_engine.models.gguf import read_gguf_header
from hexcore_engine.models.quantization import choose_quantization
from hexcore_engine.models.torch_folder import TorchFolder, read_torch_folder
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.records import ModelRecord, Record
from hexcore_engine.settings import ModelSettings
from hexcore_engine.utils.device import DeviceCapabilities, cpu_has_fast_bf16
from hexcore_engine.utils.memory import MemoryDriver, SystemMemoryDriver

MIB = 2**20
# What a runner takes beside weights and cache: its program and scratch space; torch's steps come on top.
_RUNTIME_BYTES = {"llama_cpp": 150 * MIB, "torch": 400 * MIB}
# Tokens of one step of torch's loop.
_STEP_TOKENS = 320


class ModelFit(Record, frozen=True):
    """Predicted bytes of a model and the bytes free for it; `available_bytes` None is unknown.

    `whole_bytes` is the part of quantised weights that stays as it is; `note` says what keeps the model from
    being loaded as asked.
    """

    model: ModelRecord
    weights_bytes: int
    kv_cache_bytes: int
    workspace_bytes: int
    available_bytes: int | None
    fits: bool | None
    note: str = ""
    whole_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        """All parts together."""
        return self.weights_bytes + self.kv_cache_bytes + self.workspace_bytes


def plan_fit(settings: ModelSettings, paths: Paths, driver: MemoryDriver | None = None) -> ModelFit:
    """Predict what the model of these settings takes on the machine that `driver` tells of, this one where
    it is None.

    Raises:
        ModelMissingError: when it is not at hand.
    """
    record = describe(settings, paths)
    kind = decoder_of(settings.path, settings.decoder)
    asked = driver or SystemMemoryDriver()
    try:
        if kind == "torch":
            return _torch_fit(settings, paths, record, asked)
        if kind != "llama_cpp":
            return ModelFit(record, record.weights_bytes or 0, 0, 0, None, None)
        system = asked.system()
    finally:
        if driver is None:
            asked.close()
    tokens = record.context_tokens or settings.context_tokens
    cache = read_gguf_header(model_file(settings.path, paths)).kv_cache_bytes(tokens)
    free = system.available_bytes if system else None
    return _judged(ModelFit(record, record.weights_bytes or 0, cache, _RUNTIME_BYTES[kind], free, None))


def _torch_fit(settings: ModelSettings, paths: Paths, record: ModelRecord, driver: MemoryDriver) -> ModelFit:
    folder = read_torch_folder(model_folder(settings.path, paths))
    device, free = _device(driver)
    kind = choose_quantization(settings.quantization, device, folder.num_parameters)
    # What torch computes in: 16 bits where that is quick; see `compute_dtype`.
    itemsize = 4 if device.device == "cpu" and not device.fast_bf16 else 2
    tokens = record.context_tokens or settings.context_tokens
    steps = folder.step_bytes(_STEP_TOKENS, itemsize, tokens) + folder.table_bytes
    fit = ModelFit(
        msgspec.structs.replace(record, quantization=None if kind == "none" else kind),
        folder.weights_bytes(kind, itemsize),
        folder.kv_bytes_per_token(itemsize) * tokens,
        _RUNTIME_BYTES["torch"] + steps,
        free,
        None,
        _fused_note(folder, kind, itemsize),
        folder.whole_bytes(itemsize) if kind != "none" else 0,
    )
    return _judged(fit)


def _judged(fit: ModelFit) -> ModelFit:
    if fit.available_bytes is None:
        return fit
    return msgspec.structs.replace(fit, fits=fit.total_bytes <= fit.available_bytes and not fit.note)


def fit_text(fit: ModelFit) -> str:
    """Return the arithmetic as lines."""
    if fit.available_bytes is None:
        return f"{fit.model.name} runs elsewhere; nothing of it is held here."
    shrunk = (
        (f"  in {fit.model.quantization}", fit.weights_bytes - fit.whole_bytes),
        ("  left whole", fit.whole_bytes),
    )
    parts = (
        ("weights", fit.weights_bytes),
        *(shrunk if fit.whole_bytes else ()),
        ("KV cache, full context", fit.kv_cache_bytes),
        ("workspace, about", fit.workspace_bytes),
        ("together", fit.total_bytes),
        ("free here", fit.available_bytes),
    )
    lines = [f"  {name:<24}{size / MIB:>10,.0f} MiB" for name, size in parts]
    verdict = "It fits." if fit.fits else "It does not fit: choose a smaller model or more quantisation."
    verdict = f"It can't be loaded so: {fit.note}." if fit.note else verdict
    return "\n".join([f"{fit.model.name}, {fit.model.context_tokens} tokens of context", *lines, verdict])


def fit_line(fit: ModelFit) -> str:
    """Return the verdict in one line, "" for a model that runs elsewhere."""
    if fit.available_bytes is None:
        return ""
    verdict = "fits" if fit.fits else "does not fit"
    needed, free = fit.total_bytes / MIB, fit.available_bytes / MIB
    note = f"; {fit.note}" if fit.note else ""
    return f"{verdict}: {needed:,.0f} MiB with its cache, {free:,.0f} MiB free{note}"


def _fused_note(folder: TorchFolder, kind: str, itemsize: int) -> str:
    if kind == "none" or not folder.num_fused:
        return ""
    size = folder.num_fused * itemsize / MIB
    return (
        f"{size:,.0f} MiB of experts in fused tensors stay whole under {kind}: serve it with AWQ, "
        "GPTQ or FP8 weights elsewhere (`hexcore models use http://host/v1`), or use a GGUF of it"
    )


def _device(driver: MemoryDriver) -> tuple[DeviceCapabilities, int | None]:
    """Where torch would put the weights, told without loading it, and the bytes free there."""
    gpus = [gpu for gpu in driver.gpus() if not gpu.lost]
    if gpus:
        total = sum(gpu.total_bytes for gpu in gpus)
        free = sum(gpu.total_bytes - gpu.used_bytes for gpu in gpus)
        return DeviceCapabilities("cuda:0", True, None, total), free
    system = driver.system()
    return DeviceCapabilities("cpu", cpu_has_fast_bf16()), system.available_bytes if system else None
