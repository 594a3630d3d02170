"""An expert's adapter on disk: a folder with `adapter.json` (its manifest) and its weights as safetensors.

Reading one needs no torch, checks everything that can be checked without the model, and refuses with the
reason. Only attention is adapted: adapters of expert tensors rebuild whole weights in each forward.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from hexcore_engine.errors import ExpertAdapterError
from hexcore_engine.models.safetensors_file import (
    FLOAT_DTYPES,
    DamagedFileError,
    TensorEntry,
    is_finite,
    read_header,
)
from hexcore_engine.models.torch_folder import PICKLED
from hexcore_engine.protocol.records import ModeName
from hexcore_engine.utils.validation import clean_line

MANIFEST_NAME = "adapter.json"
WEIGHTS_NAME = "adapter_model.safetensors"
ATTENTION_MODULES = frozenset(
    {"q_proj", "k_proj", "v_proj", "o_proj", "out_proj", "qkv_proj", "query_key_value"}
)
_ATTENTION_PARENTS = frozenset({"self_attn", "attn", "attention", "self_attention"})
_TENSOR_NAME = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")
_GET_AGAIN = "Fetch or train it again, then `hexcore models add-adapter FOLDER --mode MODE`."

AdapterKind = Literal["lora", "alora"]


class AdapterManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an adapter says of itself. `base_model_hash` is the fingerprint of the model it was trained for,
    `sha256` of its weights file; an activated adapter acts from its `invocation_tokens` on."""

    mode: ModeName
    kind: AdapterKind
    base_model_hash: str
    rank: Annotated[int, Meta(ge=1, le=1024)]
    alpha: Annotated[float, Meta(gt=0)]
    target_modules: Annotated[tuple[str, ...], Meta(min_length=1)]
    sha256: str
    invocation_tokens: tuple[int, ...] = ()
    format: Literal[1] = 1


@dataclass(frozen=True)
class Adapter:
    """A checked adapter. `layers` maps a module of the model to the A and B tensors of its weights file;
    `num_bytes` is what it takes once loaded, in 32 bits."""

    folder: Path
    manifest: AdapterManifest
    layers: dict[str, tuple[str, str]]
    num_bytes: int

    @property
    def name(self) -> str:
        """Its folder's name."""
        return clean_line(self.folder.name)

    @property
    def mode(self) -> ModeName:
        """The expert it makes."""
        return self.manifest.mode

    @property
    def weights_file(self) -> Path:
        """Its safetensors."""
        return self.folder / WEIGHTS_NAME


def read_adapter(folder: Path) -> Adapter:
    """Read and check an adapter.

    Raises:
        ExpertAdapterError: with the reason: no manifest or an unusable one, pickled files, weights that are
            missing, cut short, other than the manifest says, not of attention, or not finite.
    """
    manifest = _read_manifest(folder)
    _check_manifest(folder, manifest)
    entries = read_weights_header(folder)
    try:
        with (folder / WEIGHTS_NAME).open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise refused(folder, f"{WEIGHTS_NAME} can't be read: {error.strerror}") from error
    if digest != manifest.sha256.lower():
        raise refused(folder, "its weights are not those its manifest was written for (sha256 differs)")
    layers = adapted_layers(folder, entries, manifest.rank)
    _check_targets(folder, layers, manifest.target_modules)
    num_bytes = 4 * sum(entry.num_parameters for entry in entries.values())
    return Adapter(folder, manifest, layers, num_bytes)


def read_weights_header(folder: Path) -> dict[str, TensorEntry]:
    """Return the tensors of a folder's weights file, after refusing pickled ones.

    Raises:
        ExpertAdapterError: when it is missing, damaged, or something pickled lies beside it.
    """
    pickles = sorted(file.name for pattern in PICKLED for file in folder.glob(pattern))
    if pickles:
        raise refused(
            folder,
            f"it holds pickled weights ({clean_line(pickles[0])}), which can run code when read",
            "Use an adapter saved as safetensors alone, and remove the pickled file.",
        )
    if not (folder / WEIGHTS_NAME).is_file():
        raise refused(folder, f"it has no {WEIGHTS_NAME}")
    try:
        return read_header(folder / WEIGHTS_NAME)
    except DamagedFileError as error:
        raise refused(folder, f"{WEIGHTS_NAME} is cut short or damaged ({error})") from error
    except OSError as error:
        raise refused(folder, f"{WEIGHTS_NAME} can't be read: {error.strerror}") from error


def adapted_layers(folder: Path, entries: dict[str, TensorEntry], rank: int) -> dict[str, tuple[str, str]]:
    """Return the modules these tensors adapt, each with the names of its two.

    Raises:
        ExpertAdapterError: when a tensor is not half of a LoRA pair of this rank on attention, or not finite.
    """
    sides: dict[str, dict[str, str]] = {}
    for name, entry in entries.items():
        match = _TENSOR_NAME.fullmatch(name)
        if match is None:
            raise refused(folder, f"the tensor {clean_line(name)[:80]} is no part of a LoRA adapter")
        _check_tensor(folder, name, entry)
        if len(entry.shape) != 2 or entry.shape[0 if match["side"] == "A" else 1] != rank:
            raise refused(folder, f"the shape of {clean_line(name)[:80]} does not fit the rank {rank}")
        sides.setdefault(match["module"], {})[match["side"]] = name
    incomplete = next((module for module, pair in sides.items() if len(pair) < 2), None)
    if incomplete is not None or not sides:
        raise refused(folder, f"half of the pair of {clean_line(incomplete or 'every layer')} is missing")
    return {module: (pair["A"], pair["B"]) for module, pair in sides.items()}


def is_attention(module: str) -> bool:
    """Whether a module's dotted name is a projection of attention."""
    parts = module.split(".")
    return parts[-1] in ATTENTION_MODULES and len(parts) > 1 and parts[-2] in _ATTENTION_PARENTS


def check_base(adapter: Adapter, base_hash: str) -> None:
    """Refuse an adapter that was trained for another model.

    Raises:
        ExpertAdapterError: saying so.
    """
    if adapter.manifest.base_model_hash.lower() != base_hash.lower():
        raise refused(
            adapter.folder,
            f"it was made for another model ({adapter.manifest.base_model_hash[:12]}, this one is "
            f"{base_hash[:12]})",
            "Choose the model it was trained for with `hexcore models use`, or train one for this model.",
        )


def refused(folder: Path, why: str, remedy: str | None = None) -> ExpertAdapterError:
    """Return the error of an adapter that can't be used."""
    return ExpertAdapterError(
        f"The adapter {clean_line(folder.name)} can't be used: {why}.", remedy or _GET_AGAIN
    )


def _read_manifest(folder: Path) -> AdapterManifest:
    try:
        text = (folder / MANIFEST_NAME).read_bytes()
    except FileNotFoundError:
        raise refused(folder, f"it has no {MANIFEST_NAME}") from None
    except OSError as error:
        raise refused(folder, f"its {MANIFEST_NAME} can't be read: {error.strerror}") from error
    try:
        return msgspec.json.decode(text, type=AdapterManifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refused(folder, f"its {MANIFEST_NAME} is unusable: {clean_line(str(error))}") from error


def _check_manifest(folder: Path, manifest: AdapterManifest) -> None:
    other = sorted(set(manifest.target_modules) - ATTENTION_MODULES)
    if other:
        raise _not_attention(folder, other[0])
    if (manifest.kind == "alora") != bool(manifest.invocation_tokens):
        wants = "names no tokens that invoke it" if manifest.kind == "alora" else "is never invoked by tokens"
        raise refused(folder, f"an adapter of kind {manifest.kind} {wants}")


def _check_tensor(folder: Path, name: str, entry: TensorEntry) -> None:
    if entry.dtype not in FLOAT_DTYPES:
        raise refused(folder, f"{clean_line(name)[:80]} holds {clean_line(entry.dtype)}, no floating point")
    if not is_finite(folder / WEIGHTS_NAME, entry):
        raise refused(folder, f"{clean_line(name)[:80]} holds numbers that are none (NaN or infinite)")


def _check_targets(folder: Path, layers: dict[str, tuple[str, str]], targets: tuple[str, ...]) -> None:
    for module in layers:
        if not is_attention(module):
            raise _not_attention(folder, module)
        if module.rsplit(".", 1)[-1] not in targets:
            raise refused(folder, f"its manifest does not name {clean_line(module)[:80]} among its targets")


def _not_attention(folder: Path, module: str) -> ExpertAdapterError:
    return refused(
        folder,
        f"it changes {clean_line(module)[:80]}, and only attention may be adapted",
        f"Train it on attention alone ({', '.join(sorted(ATTENTION_MODULES)[:4])}, …).",
    )
