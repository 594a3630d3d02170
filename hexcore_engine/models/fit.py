"""Whether a model fits this machine, with the arithmetic: weights, cache, workspace against what is free."""

from __future__ import annotations

from pathlib import Path

from hexcore_engine.models.catalog import decoder_of, describe, model_file, model_folder
from hexcore_engine.models.gguf import read_gguf_header
from hexcore_engine.models.torch_folder import read_torch_folder
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.records import ModelRecord, Record
from hexcore_engine.settings import ModelSettings
from hexcore_engine.utils.memory import SystemMemoryDriver

MIB = 2**20
# What a runner takes beside weights and cache: its program, scratch space, one chunk of activations.
_WORKSPACE_BYTES = {"llama_cpp": 150 * MIB, "torch": 700 * MIB}


class ModelFit(Record, frozen=True):
    """Predicted bytes of a model and the bytes free for it; `available_bytes` None is unknown."""

    model: ModelRecord
    weights_bytes: int
    kv_cache_bytes: int
    workspace_bytes: int
    available_bytes: int | None
    fits: bool | None

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
    if kind == "llama_cpp":
        cache = read_gguf_header(model_file(settings.path, paths)).kv_cache_bytes(tokens)
    elif kind == "torch":
        folder: Path = model_folder(settings.path, paths)
        cache = read_torch_folder(folder).kv_bytes_per_token() * tokens
    weights = record.weights_bytes or 0
    workspace = _WORKSPACE_BYTES.get(kind, 0)
    available = _available_bytes(kind)
    local = kind in _WORKSPACE_BYTES
    fits = weights + cache + workspace <= available if local and available is not None else None
    return ModelFit(record, weights, cache, workspace, available if local else None, fits)


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
    return "\n".join([f"{fit.model.name}, {fit.model.context_tokens} tokens of context", *lines, verdict])


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
