"""Models of the Hugging Face hub: the one place that fetches them, and where they are kept.

Only what a folder of safetensors needs is fetched, nothing that is or brings code. What is there already is
not fetched again; an interrupted fetch goes on where it stopped.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hexcore_engine.errors import DownloadError, ModelMissingError, StorageError, UsageError
from hexcore_engine.models.torch_folder import read_torch_folder
from hexcore_engine.utils.validation import clean_line

FETCHED = (
    "*.safetensors",
    "model.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template*",
    "LICENSE*",
)
# A second copy of the weights in another form, and what lies in folders of its own.
_LEFT_OUT = ("consolidated*", "*/*", "*.bin", "*.py")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_SEPARATOR = "--"
# Kept free on the disk beside what is fetched.
_SPARE_BYTES = 500_000_000


@dataclass(frozen=True)
class HubModel:
    """What the hub offers of a model: the revision, and name and bytes of the files to fetch."""

    hub_id: str
    revision: str
    files: tuple[tuple[str, int], ...]

    @property
    def total_bytes(self) -> int:
        """All files together."""
        return sum(size for _, size in self.files)


def is_hub_id(location: str) -> bool:
    """Whether a location is written as OWNER/NAME and is no path that exists."""
    return bool(_HUB_ID.fullmatch(location)) and not Path(location).exists()


def hub_folder(hub_id: str, models_dir: Path) -> Path:
    """Return where a model of the hub is kept."""
    return models_dir / hub_id.replace("/", _SEPARATOR)


def hub_id_of(folder: Path, models_dir: Path) -> str | None:
    """Return the hub id of a kept folder, None where it is another's."""
    owner, found, name = folder.name.partition(_SEPARATOR)
    return f"{owner}/{name}" if found and folder.parent == models_dir else None


def require_fetched(hub_id: str, models_dir: Path) -> Path:
    """Return the folder of a model of the hub.

    Raises:
        ModelMissingError: when it was not fetched, with the command; nothing is fetched by itself.
    """
    folder = hub_folder(hub_id, models_dir)
    if not (folder / "config.json").is_file():
        raise ModelMissingError(
            f"The model {hub_id} is not at hand; Hexcore fetches none by itself.",
            f"Fetch it with `hexcore models get {hub_id}` (its size is shown first), or name a folder, a "
            ".gguf file or an http(s) address.",
        )
    return folder


def look_up(hub_id: str) -> HubModel:
    """Ask the hub what a model consists of.

    Raises:
        UsageError: when `hub_id` is none.
        ModelMissingError: when there is no such model, or it has no safetensors.
        DownloadError: when the hub can't be reached.
    """
    if not _HUB_ID.fullmatch(hub_id):
        raise UsageError(f"{clean_line(hub_id)!r} is no hub id.", "It has the form OWNER/NAME.")
    from huggingface_hub import HfApi

    try:
        found = HfApi(endpoint=_endpoint()).model_info(hub_id, files_metadata=True)
    except Exception as error:  # the client's own errors, and those of the HTTP library below it
        raise _refused(hub_id, error) from error
    files = tuple((file.rfilename, int(file.size or 0)) for file in found.siblings or ())
    wanted = tuple(file for file in files if _is_wanted(file[0]))
    if not any(name.endswith(".safetensors") for name, _ in wanted):
        raise ModelMissingError(
            f"{hub_id} has no safetensors; pickled weights can run code when read and are not fetched.",
            "Choose a model that has them.",
        )
    return HubModel(hub_id, str(found.sha), wanted)


def fetch(model: HubModel, models_dir: Path) -> Path:
    """Fetch a model and check its folder; returns it.

    Raises:
        DownloadError: when the hub can't be reached or a file did not come whole; what came is kept.
        ModelMissingError: when what came can't be used.
        StorageError: when the disk has no room for it.
    """
    folder = hub_folder(model.hub_id, models_dir)
    aside = folder.with_name(folder.name + ".part")
    _check_room(model, models_dir, aside)
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(
            model.hub_id,
            revision=model.revision,
            local_dir=aside,
            allow_patterns=[name for name, _ in model.files],
            endpoint=_endpoint(),
            max_workers=2,
        )
    except Exception as error:
        raise _refused(model.hub_id, error) from error
    read_torch_folder(aside)
    shutil.rmtree(aside / ".cache", ignore_errors=True)
    try:
        aside.replace(folder)
    except OSError as error:
        raise StorageError(f"{folder} can't be written: {error.strerror}.") from error
    return folder


def _is_wanted(name: str) -> bool:
    if any(fnmatch.fnmatch(name, pattern) for pattern in _LEFT_OUT):
        return False
    return any(fnmatch.fnmatch(name, pattern) for pattern in FETCHED)


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None


def _check_room(model: HubModel, models_dir: Path, aside: Path) -> None:
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(models_dir).free
    except OSError as error:
        raise StorageError(f"{models_dir} can't be written: {error.strerror}.") from error
    there = sum(file.stat().st_size for file in aside.rglob("*") if file.is_file())
    needed = model.total_bytes - there + _SPARE_BYTES
    if needed > free:
        raise StorageError(
            f"{model.hub_id} has {model.total_bytes / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free in "
            f"{models_dir}."
        )


def _refused(hub_id: str, error: Exception) -> Exception:
    kind = type(error).__name__
    if kind == "GatedRepoError":
        return ModelMissingError(
            f"{hub_id} is given only to those who accepted its terms.",
            "Accept them on the model's page, then set HF_TOKEN to a token of yours and try again.",
        )
    if kind in ("RepositoryNotFoundError", "RevisionNotFoundError"):
        return ModelMissingError(f"The hub has no model {hub_id}, or it is private.", "Check its name.")
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError):
        return StorageError(f"{hub_id} can't be written: {error.strerror}.")
    reason: Any = clean_line(str(error))[:200] or kind
    return DownloadError(
        f"{hub_id} could not be fetched: {reason}.",
        f"Check the connection and run `hexcore models get {hub_id}` again; what came is kept.",
    )
