"""The parts of a pipeline for library use: from a model's name and a knowledge folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hexcore_engine.errors import HexcoreError
from hexcore_engine.models.catalog import describe
from hexcore_engine.models.placement import DeviceMap, MaxMemory
from hexcore_engine.models.quantization import check_quantization
from hexcore_engine.models.router import TransactionClassifier
from hexcore_engine.paths import Paths, default_paths
from hexcore_engine.settings import DataSettings, load_settings

if TYPE_CHECKING:
    from hexcore_engine.knowledge.index.base import VectorIndex


@dataclass(frozen=True)
class ModelPlacement:
    """How a torch model is loaded; see `HexcorePipeline`."""

    quantization: str = "auto"
    device_map: DeviceMap = "auto"
    max_memory: MaxMemory | None = None
    adapters_dir: str | Path = "adapters"
    keep_prompts: bool = True


def parts_for_model(
    model_path: str, knowledge_folder: str | Path | None, placement: ModelPlacement = ModelPlacement()
) -> dict[str, Any]:
    """Return the keyword arguments of `HexcorePipeline.from_parts`.

    Raises:
        ModelMissingError: when the model is not at hand.
        UsageError: for a quantization that does not exist.
    """
    from hexcore_engine.inference.decoders.factory import open_decoder
    from hexcore_engine.knowledge.lookup import Knowledge
    from hexcore_engine.knowledge.retriever import HybridRetriever

    paths = default_paths()
    settings = load_settings(paths.settings_file)
    check_quantization(placement.quantization)
    model = msgspec.structs.replace(
        settings.model, path=str(model_path), decoder="auto", quantization=placement.quantization
    )
    describe(model, paths)
    engine = settings.engine
    if not placement.keep_prompts:
        engine = msgspec.structs.replace(engine, prompt_cache_mb=0)
    folder = Path(knowledge_folder) if knowledge_folder else paths.knowledge_dir
    vectors = _vectors(paths, settings.data, folder)
    return {
        "open_decoder": lambda: open_decoder(
            model,
            engine,
            paths,
            device_map=placement.device_map,
            max_memory=placement.max_memory,
            adapters_dir=paths.home / placement.adapters_dir,
        ),
        "retriever": HybridRetriever(folder, vectors),
        "knowledge": Knowledge(folder),
        "router": TransactionClassifier(known_meaning=vectors.known if vectors else None),
        "settings": settings,
    }


def _vectors(paths: Paths, settings: DataSettings, folder: Path) -> VectorIndex | None:
    """The vectors where they are built; retrieval works without."""
    from hexcore_engine.data.vectors import open_vectors

    try:
        return open_vectors(paths, settings, folder)
    except HexcoreError:
        return None
