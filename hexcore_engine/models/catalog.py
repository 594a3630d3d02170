"""Models at hand, what runs each, and choosing the one that answers."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from hexcore_engine.errors import ModelMissingError, UsageError
from hexcore_engine.models.gguf import describe_gguf
from hexcore_engine.models.gguf_import import torch_folder_for
from hexcore_engine.models.hub import hub_id_of, is_hub_id, require_fetched
from hexcore_engine.models.torch_folder import describe_torch_folder
from hexcore_engine.paths import Paths, named_path
from hexcore_engine.protocol.records import DecoderName, ModelRecord
from hexcore_engine.settings import EMBEDDED_MODEL, ModelSettings, Settings, save_setting
from hexcore_engine.utils.validation import clean_line

SCRIPTED = "scripted"
SCRIPTED_MODEL = ModelRecord(
    name=SCRIPTED,
    location=SCRIPTED,
    decoder="scripted",
    weights_bytes=0,
    context_tokens=4096,
    small=True,
    note="a fixed text, no model behind it",
)


def decoder_of(location: str, wanted: str = "auto") -> DecoderName:
    """Return the decoder that runs what stands at `location`.

    Raises:
        UsageError: when the wanted decoder can't run it.
    """
    if wanted == "torch" and _is_gguf(location):
        return "torch"
    if location == SCRIPTED:
        found: DecoderName = "scripted"
    elif location.startswith(("http://", "https://")):
        found = "openai"
    elif _is_gguf(location):
        found = "llama_cpp"
    else:
        found = "torch"
    if wanted not in ("auto", found):
        raise UsageError(
            f"The decoder {wanted!r} can't run {without_user(location)!r}.",
            f"Leave the decoder out; {found!r} runs it.",
        )
    return found


def _is_gguf(location: str) -> bool:
    return location == EMBEDDED_MODEL or location.lower().endswith(".gguf")


def model_folder(location: str, paths: Paths) -> Path:
    """Return the folder torch reads: the one a location names, what was fetched of a hub id, or what a GGUF
    file was converted to.

    Raises:
        ModelMissingError: when it was not fetched or the conversion not made yet.
    """
    if is_hub_id(location):
        return require_fetched(location, paths.models_dir)
    if not _is_gguf(location):
        return named_path(location)
    folder = torch_folder_for(model_file(location, paths), paths.models_dir)
    if not folder.is_dir():
        raise ModelMissingError(
            "Torch reads safetensors, and this GGUF file was not converted yet.",
            f"Run `hexcore models import-gguf{'' if location == EMBEDDED_MODEL else ' ' + location}` once.",
        )
    return folder


def model_file(location: str, paths: Paths) -> Path:
    """Return the GGUF file a location names."""
    return paths.embedded_model_file if location == EMBEDDED_MODEL else named_path(location)


def describe(
    settings: ModelSettings,
    paths: Paths,
    model: str | None = None,
    decoder: str | None = None,
) -> ModelRecord:
    """Return the record of a model without loading it.

    Raises:
        ModelMissingError: when it is not at hand, with the remedy.
    """
    location = model or settings.path
    kind = decoder_of(location, decoder or settings.decoder)
    if kind == "scripted":
        return SCRIPTED_MODEL
    if kind == "openai":
        check_address(location)
        return ModelRecord(name=settings.remote_name or location, location=location, decoder="openai")
    if kind == "torch":
        require_torch()
        quantization = settings.quantization
        return describe_torch_folder(model_folder(location, paths), quantization, settings.context_tokens)
    require_llama_cpp()
    return describe_gguf(model_file(location, paths), context_tokens=settings.context_tokens)


def check_address(address: str) -> None:
    """Refuse what no server can have as its address, without asking for it.

    Raises:
        ModelMissingError: saying so.
    """
    if without_user(address) != address:
        raise ModelMissingError(
            "The server's address holds a user or a password, which would be kept wherever it is named.",
            "Leave them out, as in http://host:8000/v1; put the server's key into the environment variable "
            "that [model] api_key_variable names (HEXCORE_API_KEY), then `hexcore engine restart`.",
        )
    try:
        parts = urlsplit(address)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or clean_line(address) != address or " " in address:
        raise ModelMissingError(
            f"{clean_line(address)!r} is no address of a server.", "Give one like http://host:8000/v1."
        )


def without_user(location: str) -> str:
    """Return a model's location without the user and password an address may hold; others as they are."""
    if not location.startswith(("http://", "https://")):
        return location
    scheme, rest = location.split("://", 1)
    # By hand: what is no address for a parser may hold a password too.
    end = min((rest.find(sign) for sign in "/?#" if sign in rest), default=len(rest))
    return f"{scheme}://{rest[:end].rpartition('@')[2]}{rest[end:]}"


def list_models(settings: Settings, paths: Paths) -> tuple[ModelRecord, ...]:
    """Return the configured model first, then the embedded one and what lies in the models folder."""
    locations = [settings.model.path, EMBEDDED_MODEL]
    embedded = paths.embedded_model_file
    locations += [str(file) for file in sorted(paths.models_dir.glob("*.gguf")) if file != embedded]
    folders = [file.parent for file in sorted(paths.models_dir.glob("*/config.json"))]
    whole = [folder for folder in folders if folder.suffix not in (".part", ".new")]
    locations += [hub_id_of(folder, paths.models_dir) or str(folder) for folder in whole]
    return tuple(_describe_or_say_why(settings.model, paths, name) for name in dict.fromkeys(locations))


def absolute_location(location: str) -> str:
    """Return the whole path of a file or folder, for a process with another working folder; other locations
    as they are."""
    local = decoder_of(location) in ("llama_cpp", "torch")
    if local and location != EMBEDDED_MODEL and not is_hub_id(location):
        return str(named_path(location).absolute())
    return location


def use_model(paths: Paths, location: str) -> ModelRecord:
    """Check a model and write it into the user's settings as the one that answers.

    Raises:
        ModelMissingError: when it is not at hand; the settings stay as they were.
    """
    location = location.strip()
    if not location:
        raise UsageError(
            "No model was named.", "Name a .gguf file, a folder, a hub id, an http(s) address, or `embedded`."
        )
    location = absolute_location(location)
    record = describe(ModelSettings(), paths, location)
    save_setting(paths.settings_file, "model", "path", location)
    return record


def _describe_or_say_why(settings: ModelSettings, paths: Paths, location: str) -> ModelRecord:
    try:
        return msgspec.structs.replace(describe(settings, paths, location, "auto"), location=location)
    except (ModelMissingError, UsageError) as error:
        kind = decoder_of(location)
        shown = without_user(location)
        return ModelRecord(
            name=shown,
            location=shown,
            decoder=kind,
            available=False,
            note=f"{error.message} {error.remedy}",
        )


def require_llama_cpp() -> None:
    """Raise `ModelMissingError` where llama.cpp has no build."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise ModelMissingError(
            "llama.cpp has no build for this machine, so no GGUF model can run here.",
            "Look-ups and evidence work without; for answers name a server: `hexcore models use http://host/v1`.",
        )


def require_torch() -> None:
    """Raise `ModelMissingError` where the torch extra is not installed."""
    missing = [name for name in ("torch", "transformers") if importlib.util.find_spec(name) is None]
    if missing:
        raise ModelMissingError(
            f"A folder of safetensors is run by torch, and {' and '.join(missing)} is not installed here.",
            "Install it with `make setup EXTRAS=torch`, or name a .gguf file or an http(s) address.",
        )
