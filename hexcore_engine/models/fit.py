"""Whether a model fits this machine, with the arithmetic: weights, cache, workspace against what is free."""

from __future__ import annotations

from hexcore_engine.models.catalog import decoder_of, describe, model_file, model_folder
from hexcore_engine.models.gguf import read_gguf_header
from hexcore_engine.models.torch_folder import TorchFolder, read_torch_folder
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.records import ModelRecord, Record
from hexcore_engine.settings import ModelSettings
from hexcore_engine.utils.memory import SystemMemoryDriver

MIB = 2**20
# What a runner takes beside weights and cache: its program and scratch space; torch's steps come on top.
_RUNTIME_BYTES = {"llama_cpp": 150 * MIB, "torch": 400 * MIB}
# Tokens of one step of torch's loop.
_STEP_TOKENS = 320


class ModelFit(Record, frozen=True):
    """Predicted bytes of a model and the bytes free for it; `available_bytes` None is unknown. `note` says
    what keeps it from being loaded as asked."""

    model: ModelRecord
    weights_bytes: int
    kv_cache_bytes: int
    workspace_bytes: int
    available_bytes: int | None
    fits: bool | None
    note: str = ""

    @property
    def total_bytes(self) -> int:
        """All parts together."""
        return self.weights_bytes + self.kv_cache_bytes + self.workspace_bytes


def plan_fit(settings: ModelSettings, paths: Paths) -> ModelFit:
    """Predict what the model of these settings takes here.

    Raises:
        ModelMissingError: when it is not at hand.
    """
    record = describe(settings, paths)
    kind = decoder_of(settings.path, settings.decoder)
    tokens = record.context_tokens or settings.context_tokens
    cache = 0
    workspace = _RUNTIME_BYTES.get(kind, 0)
    note = ""
    if kind == "llama_cpp":
        cache = read_gguf_header(model_file(settings.path, paths)).kv_cache_bytes(tokens)
    elif kind == "torch":
        folder = read_torch_folder(model_folder(settings.path, paths))
        cache = folder.kv_bytes_per_token() * tokens
        workspace += folder.step_bytes(_STEP_TOKENS, context_tokens=tokens) + folder.table_bytes
        note = _fused_note(folder, record.quantization)
    weights = record.weights_bytes or 0
    available = _available_bytes(kind)
    local = kind in _RUNTIME_BYTES
    fits = weights + cache + workspace <= available if local and available is not None else None
    return ModelFit(record, weights, cache, workspace, available if local else None, fits and not note, note)


def fit_text(fit: ModelFit) -> str:
    """Return the arithmetic as lines."""
    if fit.available_bytes is None:
        return f"{fit.model.name} runs elsewhere; nothing of it is held here."
    parts = (
        ("weights", fit.weights_bytes),
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


def _fused_note(folder: TorchFolder, quantization: str | None) -> str:
    if quantization is None or not folder.num_fused:
        return ""
    size = folder.num_fused * 2 / MIB
    return (
        f"{size:,.0f} MiB of experts in fused tensors stay whole under {quantization}: serve it with AWQ, "
        "GPTQ or FP8 weights elsewhere (`hexcore models use http://host/v1`), or use a GGUF of it"
    )


def _available_bytes(kind: str) -> int | None:
    driver = SystemMemoryDriver()
    try:
        gpus = [gpu for gpu in driver.gpus() if not gpu.lost] if kind == "torch" else []
        if gpus:
            return sum(gpu.total_bytes - gpu.used_bytes for gpu in gpus)
        system = driver.system()
        return system.available_bytes if system else None
    finally:
        driver.close()
