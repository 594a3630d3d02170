"""From a model's name to a loaded decoder."""

from __future__ import annotations

from pathlib import Path

from hexcore_engine.inference.decoders.base import Decoder
from hexcore_engine.models.catalog import (
    decoder_of,
    model_file,
    model_folder,
    require_llama_cpp,
    require_torch,
)
from hexcore_engine.models.load_times import LoadWatch
from hexcore_engine.models.loader import LoadedTorchModel
from hexcore_engine.models.placement import DeviceMap, MaxMemory
from hexcore_engine.paths import Paths
from hexcore_engine.settings import EngineSettings, ModelSettings


def open_decoder(
    settings: ModelSettings,
    engine: EngineSettings,
    paths: Paths,
    model: str | None = None,
    decoder: str | None = None,
    *,
    device_map: DeviceMap = "auto",
    max_memory: MaxMemory | None = None,
    adapters_dir: Path | None = None,
    watch: LoadWatch | None = None,
) -> Decoder:
    """Load a model and return it warm; `device_map`, `max_memory` and `adapters_dir` (None: the installed
    ones) concern torch models. `watch` is told how far it is.

    Raises:
        ModelMissingError: when it is not at hand.
        DecoderError: when its runner can't load it.
    """
    location = model or settings.path
    kind = decoder_of(location, decoder or settings.decoder)
    watch = watch or LoadWatch({})
    if kind == "scripted":
        from hexcore_engine.inference.decoders.scripted import ScriptedDecoder

        return ScriptedDecoder()
    if kind == "openai":
        from hexcore_engine.inference.decoders.openai_server import OpenAIServerDecoder, api_key

        return OpenAIServerDecoder(location, api_key(settings.api_key_variable), settings.remote_name)
    if kind == "torch":
        require_torch()
        watch.begin("starting torch")
        from hexcore_engine.models.loader import load_torch_model

        folder = model_folder(location, paths)
        loaded = load_torch_model(folder, settings.quantization, device_map, max_memory, watch=watch)
        watch.begin("warming up")
        return _open_torch(settings, engine, loaded, adapters_dir or paths.adapters_dir)
    return _open_llama_cpp(settings, engine, model_file(location, paths), watch)


def _open_llama_cpp(settings: ModelSettings, engine: EngineSettings, file: Path, watch: LoadWatch) -> Decoder:
    from hexcore_engine.inference.decoders.llama_cpp import LlamaCppDecoder
    from hexcore_engine.inference.prompt import warm_prompt

    require_llama_cpp()
    return LlamaCppDecoder(
        file,
        context_tokens=settings.context_tokens,
        threads=settings.threads,
        prompt_cache_mb=engine.prompt_cache_mb,
        warm_prompt=warm_prompt(),
        on_stage=watch.begin,
    )


def _open_torch(
    settings: ModelSettings,
    engine: EngineSettings,
    loaded: LoadedTorchModel,
    adapters_dir: Path,
) -> Decoder:
    from hexcore_engine.inference.decoders.torch_decoder import TorchDecoder
    from hexcore_engine.inference.prompt import warm_prompt
    from hexcore_engine.utils.device import default_threads

    decoder = TorchDecoder(
        loaded,
        context_tokens=settings.context_tokens,
        threads=default_threads(settings.threads),
        prompt_cache_mb=engine.prompt_cache_mb,
        adapters_dir=adapters_dir,
        adapters_mb=engine.adapters_mb,
    )
    try:
        decoder.warm(warm_prompt())
    except BaseException:
        decoder.close()
        raise
    return decoder
