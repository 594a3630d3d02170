"""The parts of a pipeline for library use: from a model's name and a knowledge folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hexcore_engine.errors import HexcoreError
from hexcore_engine.models.catalog import describe
from hexcore_engine.models.router import TransactionClassifier
from hexcore_engine.paths import Paths, default_paths
from hexcore_engine.settings import DataSettings, load_settings

if TYPE_CHECKING:
    from hexcore_engine.knowledge.index.base import VectorIndex


def parts_for_model(model_path: str, knowledge_folder: str | Path | None) -> dict[str, Any]:
    """Return the keyword arguments of `HexcorePipeline.from_parts`.

    Raises:
        ModelMissingError: when the model is not at hand.
    """
    from hexcore_engine.inference.decoders.factory import open_decoder
    from hexcore_engine.knowledge.lookup import Knowledge
    from hexcore_engine.knowledge.retriever import HybridRetriever

    paths = default_paths()
    settings = load_settings(paths.settings_file)
    model = msgspec.structs.replace(settings.model, path=model_path, decoder="auto")
    describe(model, paths)
    folder = Path(knowledge_folder) if knowledge_folder else paths.knowledge_dir
    return {
        "open_decoder": lambda: open_decoder(model, settings.engine, paths),
        "retriever": HybridRetriever(folder, _vectors(paths, settings.data, folder)),
        "knowledge": Knowledge(folder),
        "router": TransactionClassifier(),
        "settings": settings,
    }


def _vectors(paths: Paths, settings: DataSettings, folder: Path) -> VectorIndex | None:
    """The vectors where they are built; retrieval works without."""
    from hexcore_engine.data.vectors import open_vectors

    try:
        return open_vectors(paths, settings, folder)
    except HexcoreError:
        return None
