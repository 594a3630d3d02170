"""From a GGUF file to a folder of safetensors that the torch decoder reads; done once, then kept."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Any

from hexcore_engine.errors import ImportFileError, StorageError
from hexcore_engine.models.gguf import read_gguf_header
from hexcore_engine.models.torch_folder import hide_progress_bars

# Written last, so that a folder without it is a conversion that was interrupted.
DONE_NAME = "hexcore-import.json"


def torch_folder_for(file: Path, models_dir: Path) -> Path:
    """Return where the conversion of a GGUF file is kept."""
    return models_dir / f"{file.stem}-torch"


def import_gguf(file: Path, models_dir: Path) -> Path:
    """Convert a GGUF file to bf16 safetensors with its tokenizer; returns the folder.

    A conversion of the same file (by size and time) is found again.

    Raises:
        ModelMissingError: when the file is absent or damaged.
        ImportFileError: when its architecture or tokenizer is not one transformers can read.
        StorageError: when the folder can't be written.
    """
    read_gguf_header(file)
    folder = torch_folder_for(file, models_dir)
    stamp = _stamp(file)
    if (folder / DONE_NAME).is_file() and (folder / DONE_NAME).read_bytes() == stamp.encode():
        return folder
    aside = folder.with_name(folder.name + ".new")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        _convert(file, aside)
        (aside / DONE_NAME).write_text(stamp, "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        aside.replace(folder)
    except OSError as error:
        raise StorageError(f"The model could not be converted into {folder}: {error.strerror}.") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _convert(file: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    hide_progress_bars()
    try:
        # Weights stay packed unless a dtype is named, and packed ones can't be saved (transformers 5.23).
        model: Any = AutoModelForCausalLM.from_pretrained(
            str(file.parent), gguf_file=file.name, dtype=torch.float32
        )
        tokenizer: Any = AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)
    except (ValueError, KeyError, NotImplementedError, RuntimeError) as error:
        raise ImportFileError(
            f"{file.name} can't be converted: {error}.", "Run it as it is: `hexcore models use PATH.gguf`."
        ) from error
    tied = {"lm_head.weight"} if model.config.tie_word_embeddings else set()
    tensors = {
        name: tensor.to(torch.bfloat16).contiguous().clone()
        for name, tensor in model.state_dict().items()
        if name not in tied
    }
    _save(tensors, folder / "model.safetensors")
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.config.architectures = [type(model).__name__]
    model.config.dtype = torch.bfloat16
    model.config.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _save(tensors: dict[str, Any], file: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(tensors, str(file), metadata={"format": "pt"})
    except SafetensorError as error:
        # What the system refuses comes wrapped in words of its own, without a number.
        raise OSError(errno.EIO, str(error)) from error


def _stamp(file: Path) -> str:
    stat = file.stat()
    return f'{{"source": "{file.name}", "bytes": {stat.st_size}, "modified_ns": {stat.st_mtime_ns}}}'
