"""Installing an adapter: from a folder as peft writes it to one with a manifest, checked."""

from __future__ import annotations

import hashlib
import math
import shutil
from pathlib import Path
from typing import Any

import msgspec

from hexcore_engine.errors import ExpertAdapterError, ModelMissingError, StorageError
from hexcore_engine.models.adapter_files import (
    MANIFEST_NAME,
    WEIGHTS_NAME,
    Adapter,
    AdapterManifest,
    read_adapter,
    read_weights_header,
    refused,
)
from hexcore_engine.models.catalog import model_folder
from hexcore_engine.models.fingerprint import weights_fingerprint
from hexcore_engine.models.torch_folder import read_torch_folder
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.records import ModeName

CONFIG_NAME = "adapter_config.json"
# Settings of peft's that a plain or activated LoRA adapter leaves at these.
_PLAIN = {
    "peft_type": "LORA",
    "bias": "none",
    "use_dora": False,
    "use_qalora": False,
    "fan_in_fan_out": False,
    "modules_to_save": None,
    "rank_pattern": {},
    "alpha_pattern": {},
    "target_parameters": None,
}


def base_fingerprint(location: str, paths: Paths) -> str:
    """Return the fingerprint of a model that adapters are made for.

    Raises:
        ExpertAdapterError: when it is none that torch runs, or is not at hand.
    """
    try:
        return weights_fingerprint(read_torch_folder(model_folder(location, paths)).shards)
    except (ModelMissingError, OSError, ValueError) as error:
        why = error.message if isinstance(error, ModelMissingError) else str(error)
        remedy = error.remedy if isinstance(error, ModelMissingError) else None
        raise ExpertAdapterError(f"Adapters belong to a model that torch runs. {why}", remedy) from error


def install_adapter(source: Path, mode: ModeName, base_hash: str, adapters_dir: Path) -> Adapter:
    """Copy an adapter as peft wrote it among the installed ones, with a manifest for this base; one of the
    same name is replaced.

    Raises:
        ExpertAdapterError: when it can't be used, with the reason; nothing is installed then.
        StorageError: when the folder can't be written.
    """
    source = source.resolve()
    if not source.name or source.name.startswith("."):
        raise refused(source, "its name begins with a dot, or it has none", "Give the folder another name.")
    manifest = _manifest_of(source, mode, base_hash)
    target = adapters_dir / source.name
    if source == target.resolve():
        raise refused(
            source, "it lies among the installed ones already", "Move it elsewhere and add it from there."
        )
    new = adapters_dir / ".new"
    aside = new / source.name
    try:
        shutil.rmtree(new, ignore_errors=True)
        aside.mkdir(parents=True)
        shutil.copyfile(source / WEIGHTS_NAME, aside / WEIGHTS_NAME)
        (aside / MANIFEST_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        read_adapter(aside)
        shutil.rmtree(target, ignore_errors=True)
        aside.replace(target)
    except OSError as error:
        raise StorageError(f"The adapter could not be written to {target}: {error.strerror}.") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return read_adapter(target)


def _manifest_of(source: Path, mode: ModeName, base_hash: str) -> AdapterManifest:
    config = _read_config(source)
    names = {name.split(".lora_")[0].rsplit(".", 1)[-1] for name in read_weights_header(source)}
    invocation = tuple(config.get("alora_invocation_tokens") or ())
    with (source / WEIGHTS_NAME).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    try:
        rank, alpha = int(config["r"]), float(config["lora_alpha"])
        fields = {
            "mode": mode,
            "kind": "alora" if invocation else "lora",
            "base_model_hash": base_hash,
            "rank": rank,
            "alpha": alpha * math.sqrt(rank) if config.get("use_rslora") else alpha,
            "target_modules": sorted(names),
            "sha256": digest,
            "invocation_tokens": invocation,
        }
        return msgspec.convert(fields, AdapterManifest)
    except (KeyError, TypeError, ValueError) as error:
        raise refused(source, f"its {CONFIG_NAME} is unusable ({error})") from error


def _read_config(source: Path) -> dict[str, Any]:
    try:
        config: Any = msgspec.json.decode((source / CONFIG_NAME).read_bytes())
    except OSError as error:
        raise refused(
            source, f"its {CONFIG_NAME} can't be read: {error.strerror}", "Name the folder that peft wrote."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refused(source, f"its {CONFIG_NAME} is unusable") from error
    if not isinstance(config, dict):
        raise refused(source, f"its {CONFIG_NAME} is no object")
    for name, plain in _PLAIN.items():
        value = config.get(name, plain)
        if value != plain and value not in (None, [], {}):
            raise refused(
                source,
                f"it uses {name}, which no adapter here can",
                "Train it as plain or activated LoRA on attention.",
            )
    return config
