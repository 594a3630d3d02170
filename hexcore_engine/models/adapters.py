"""Experts' adapters on a loaded model: loading, switching and mixing them, and giving their memory back."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from hexcore_engine.errors import ExpertAdapterError, ModelMissingError, UsageError
from hexcore_engine.models.adapter_files import Adapter, check_base, read_adapter, refused
from hexcore_engine.models.adapter_index import AdapterIndex, AdapterRecord
from hexcore_engine.models.fingerprint import weights_fingerprint
from hexcore_engine.models.quantization import import_bitsandbytes
from hexcore_engine.models.torch_folder import read_torch_folder
from hexcore_engine.paths import named_path
from hexcore_engine.protocol.records import MODE_NAMES, ModeName
from hexcore_engine.utils.validation import clean_line

DEFAULT_LIMIT_BYTES = 512 * 2**20
# Where a model keeps its manager, so that there is one for each model.
_ATTRIBUTE = "hexcore_experts"
_BASE_ROW = "__base__"


class ExpertAdapterManager:
    """The adapters of one transformers model; used by one thread at a time.

    Adapters are looked for below `folder`, where there is one. `base_hash` is the fingerprint of the model's
    weights, read from the folder it was loaded from when None. Loaded adapters take at most `limit_bytes`;
    the one used least recently goes first.

    Nothing here calls `state_dict()`: on a quantised model that was used, it changes the weights.
    """

    def __init__(
        self,
        model: Any,
        folder: Path | None,
        *,
        base_hash: str | None = None,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
    ) -> None:
        self.model = model
        self._base_hash = base_hash
        self.folder = folder
        self._index = AdapterIndex(folder, self.base_hash)
        self._limit_bytes = limit_bytes
        self._device: Any = None
        # peft's wrapper; None while no adapter is loaded and the model is as it was.
        self._peft: Any = None
        # Least recently used first, by peft's name.
        self._loaded: OrderedDict[str, Adapter] = OrderedDict()
        self._active: Adapter | None = None
        self._layers: list[Any] = []
        self._running = False
        self._guard = model.register_forward_pre_hook(self._refuse_bare_forward)
        if not hasattr(model, _ATTRIBUTE):
            setattr(model, _ATTRIBUTE, self)

    @property
    def active(self) -> Adapter | None:
        """The adapter that plain forwards use; None is the base."""
        return self._active

    @property
    def loaded_bytes(self) -> int:
        """Bytes of the loaded adapters' weights."""
        # Memory is sampled on another thread, while an answer loads one.
        return sum(adapter.num_bytes for adapter in list(self._loaded.values()))

    def place_on(self, device: Any) -> None:
        """Put the weights of adapters loaded from now on there; None puts each beside the layer it changes.

        Raises:
            UsageError: when that is no device, or none that the model lies on.
        """
        import torch

        try:
            place = None if device is None else torch.device(device)
        except (RuntimeError, TypeError) as error:
            raise UsageError(
                f"There is no device {clean_line(repr(device))}.", 'Use "cpu" or "cuda".'
            ) from error
        on = {parameter.device.type for parameter in self.model.parameters()}
        if place is not None and place.type not in on:
            raise UsageError(
                f"The model does not lie on {place}, and an adapter lies beside the layers it changes.",
                f"Leave the device out; the model lies on {' and '.join(sorted(on))}.",
            )
        self._device = place

    def base_hash(self) -> str:
        """Return the fingerprint of the model's weights.

        Raises:
            ExpertAdapterError: when the folder it came from can't be read.
        """
        if self._base_hash is None:
            self._base_hash = _fingerprint_of(self.model)
        return self._base_hash

    def available(self) -> tuple[AdapterRecord, ...]:
        """Return every adapter found, the refused ones with their reason."""
        loaded = {adapter.name for adapter in self._loaded.values()}
        records = self._index.records()
        return tuple(msgspec.structs.replace(record, loaded=record.name in loaded) for record in records)

    def modes(self) -> tuple[ModeName, ...]:
        """Return the experts that have a usable adapter for this model."""
        return self._index.modes()

    def refusal(self, mode: ModeName) -> ExpertAdapterError | None:
        """Return why an expert's adapter is refused, None where it is usable or there is none."""
        return None if mode in self.modes() else self._index.refusal(mode)

    def load(self, *modes: ModeName) -> tuple[Adapter, ...]:
        """Load the adapters of these experts, together, and return them.

        Raises:
            ExpertAdapterError: when one is missing or refused, or all together exceed the limit.
        """
        return self.load_adapters(tuple(self._index.find(mode) for mode in modes))

    def load_adapters(self, adapters: Sequence[Adapter]) -> tuple[Adapter, ...]:
        """Load adapters that were read and checked; see `load`."""
        wanted = {_peft_name(adapter): adapter for adapter in adapters}
        needed = sum(adapter.num_bytes for adapter in wanted.values())
        if needed > self._limit_bytes:
            raise refused(
                adapters[0].folder,
                f"{needed / 2**20:,.1f} MiB are needed and adapters may take "
                f"{self._limit_bytes / 2**20:,.1f} MiB",
                "Raise `[engine] adapters_mb`.",
            )
        self._take_over()
        self._make_room(wanted, needed)
        for name, adapter in wanted.items():
            if name not in self._loaded:
                self._inject(name, adapter)
                self._loaded[name] = adapter
            self._loaded.move_to_end(name)
        return tuple(adapters)

    def use(self, mode: ModeName | None) -> tuple[bool, str | None]:
        """Let plain forwards use an expert's adapter; None is the base.

        Returns `(True, None)`, or `(False, reason)` with the base in use.
        """
        try:
            self.activate(self.load(mode)[0] if mode is not None else None)
        except ExpertAdapterError as error:
            self.activate(None)
            return False, f"{error.message} {error.remedy}"
        return True, None

    def activate(self, adapter: Adapter | None) -> None:
        """Switch to a loaded adapter, or to the base."""
        self._take_over()
        if adapter is self._active:
            return
        # A layer without an active adapter is the base's own; walking the layers alone is twice as fast as
        # peft's own switch.
        for layer in self._layers:
            layer.set_adapter([_peft_name(adapter)] if adapter is not None else [], inference_mode=True)
        self._active = adapter

    def run(self, rows: Sequence[Adapter | None], active_tokens: Sequence[int], **inputs: Any) -> Any:
        """Run one forward in which row i of the batch uses `rows[i]`, None being the base.

        `active_tokens[i]` says on how many of this call's last tokens an activated adapter acts. `inputs` go
        to the model.

        Raises:
            ExpertAdapterError: when an adapter is not loaded any more; the base never stands in unnoticed.
        """
        self._check_loaded(rows)
        if len(rows) > 1:
            return self.run_batched(rows, active_tokens, **inputs)
        self.activate(rows[0])
        with self._told_where():
            if rows[0] is None or rows[0].manifest.kind == "lora":
                return self.model(**inputs)
            return self._peft(alora_offsets=list(active_tokens), **inputs)

    def run_batched(self, rows: Sequence[Adapter | None], active_tokens: Sequence[int], **inputs: Any) -> Any:
        """Like `run`, each row told apart by name even where there is one only."""
        self._check_loaded(rows)
        if self._peft is None:
            return self.model(**inputs)
        names = [_peft_name(row) if row is not None else _BASE_ROW for row in rows]
        activated = any(row is not None and row.manifest.kind == "alora" for row in rows)
        offsets = {"alora_offsets": list(active_tokens)} if activated else {}
        with self._told_where():
            return self._peft(adapter_names=names, **offsets, **inputs)

    def unload(self, mode: ModeName) -> None:
        """Give the memory of an expert's adapter back."""
        for name, adapter in list(self._loaded.items()):
            if adapter.mode == mode:
                self._drop(name)

    def close(self) -> None:
        """Unload everything and let go of the model, which is as it was. Safe to call twice."""
        self._unload_all()
        self._guard.remove()
        if getattr(self.model, _ATTRIBUTE, None) is self:
            delattr(self.model, _ATTRIBUTE)
        self.model = None

    def _unload_all(self) -> None:
        if self._active is not None:
            self.activate(None)
        for name in list(self._loaded):
            self._drop(name)

    def _take_over(self) -> None:
        """Be the one that wraps the model's layers: two would wrap them twice."""
        other = getattr(self.model, _ATTRIBUTE, None)
        if other is not self:
            if isinstance(other, ExpertAdapterManager):
                other._unload_all()
            setattr(self.model, _ATTRIBUTE, self)

    def _check_loaded(self, rows: Sequence[Adapter | None]) -> None:
        self._take_over()
        gone = next((row for row in rows if row is not None and _peft_name(row) not in self._loaded), None)
        if gone is not None:
            raise refused(gone.folder, "it was unloaded meanwhile", "Ask again; it is loaded anew.")

    def _inject(self, name: str, adapter: Adapter) -> None:
        import torch

        import_bitsandbytes()
        from peft import LoraConfig, PeftModelForCausalLM

        tensors = _read_tensors(adapter)
        self._check_shapes(adapter, tensors)
        manifest = adapter.manifest
        config = LoraConfig(
            r=manifest.rank,
            lora_alpha=manifest.alpha,
            target_modules=list(adapter.layers),
            task_type="CAUSAL_LM",
            inference_mode=True,
            alora_invocation_tokens=list(manifest.invocation_tokens) or None,
        )
        if self._peft is None:
            self._peft = PeftModelForCausalLM(self.model, config, name, low_cpu_mem_usage=True)
        else:
            self._peft.add_adapter(name, config, low_cpu_mem_usage=True)
        for module, (down, up) in adapter.layers.items():
            layer = self.model.get_submodule(module)
            device = self._device or layer.base_layer.weight.device
            for part, tensor in ((layer.lora_A, tensors[down]), (layer.lora_B, tensors[up])):
                weight = tensor.to(device=device, dtype=torch.float32)
                part[name].weight = torch.nn.Parameter(weight, requires_grad=False)
        self._peft.eval()
        self._take_layers()

    def _check_shapes(self, adapter: Adapter, tensors: dict[str, Any]) -> None:
        modules = dict(self.model.named_modules())
        for module, (down, up) in adapter.layers.items():
            layer = modules.get(module)
            width = (getattr(layer, "in_features", None), getattr(layer, "out_features", None))
            if (tensors[down].shape[1], tensors[up].shape[0]) != width:
                what = "has another shape in this model" if layer is not None else "is not in this model"
                raise refused(adapter.folder, f"{clean_line(module)[:80]} {what}")

    def _make_room(self, wanted: dict[str, Adapter], needed: int) -> None:
        others = [name for name in self._loaded if name not in wanted]
        held = sum(self._loaded[name].num_bytes for name in others)
        for name in others:
            if held + needed <= self._limit_bytes:
                break
            held -= self._loaded[name].num_bytes
            self._drop(name)

    def _drop(self, name: str) -> None:
        del self._loaded[name]
        if self._active is not None and _peft_name(self._active) == name:
            self.activate(None)
        if self._loaded:
            self._peft.delete_adapter(name)
        else:
            self._peft.base_model.unload()
            self._peft = None
        self._take_layers()

    def _take_layers(self) -> None:
        """Find the adapted layers after a change, and undo peft's own choice of an active adapter."""
        from peft.tuners.lora import LoraLayer

        self._layers = [module for module in self.model.modules() if isinstance(module, LoraLayer)]
        active, self._active = self._active, None
        for layer in self._layers:
            layer.set_adapter([], inference_mode=True)
        self.activate(active)

    @contextmanager
    def _told_where(self) -> Iterator[None]:
        """A forward that knows where adapters are invoked."""
        self._running = True
        try:
            yield
        finally:
            self._running = False

    def _refuse_bare_forward(self, module: Any, inputs: Any) -> None:
        active = self._active
        if active is not None and active.manifest.kind == "alora" and not self._running:
            raise ExpertAdapterError(
                "An activated adapter acts from its invocation on, and a plain forward does not say where "
                "that is: the base would answer unnoticed.",
                "Run the model through `HexcorePipeline`, or `ExpertAdapterManager.run`.",
            )


def apply_expert_adapter(
    model: Any, expert_type: str, adapter_path: str | Path | None = None, device: Any = None
) -> tuple[bool, str | None]:
    """Let a loaded transformers model answer as an expert (one of the five modes, in any case).

    `adapter_path` is the adapter's own folder; None looks among the installed ones. `device` is where its
    weights go, None beside the layers they change. Returns `(True, None)`, or `(False, reason)` with the base
    in use; never raises for what is wrong with the model, the expert or the adapter.
    """
    wrapped = hasattr(model, "peft_config") and not hasattr(model, _ATTRIBUTE)
    if wrapped or not hasattr(model, "register_forward_pre_hook") or not hasattr(model, "config"):
        return False, "Adapters are applied to a transformers model that peft has not wrapped yet."
    manager = _manager_of(model)
    try:
        mode = _mode_named(expert_type)
        manager.place_on(device)
        if adapter_path is None:
            return manager.use(mode)
        adapter = read_adapter(named_path(str(adapter_path)))
        check_base(adapter, manager.base_hash())
        if adapter.mode != mode:
            raise refused(adapter.folder, f"it was made for {adapter.mode}, not for {mode}")
        manager.activate(manager.load_adapters((adapter,))[0])
    except (ExpertAdapterError, UsageError) as error:
        manager.activate(None)
        return False, f"{error.message} {error.remedy}"
    return True, None


def _mode_named(expert_type: Any) -> ModeName:
    wanted = str(expert_type).strip().upper()
    for name in MODE_NAMES:
        if name == wanted:
            return name
    known = ", ".join(MODE_NAMES)
    raise UsageError(f"There is no expert {clean_line(str(expert_type))!r}.", f"Known: {known}.")


def _manager_of(model: Any) -> ExpertAdapterManager:
    from hexcore_engine.paths import default_paths

    found = getattr(model, _ATTRIBUTE, None)
    if isinstance(found, ExpertAdapterManager):
        return found
    return ExpertAdapterManager(model, default_paths().adapters_dir)


def _peft_name(adapter: Adapter) -> str:
    # Two adapters of one name with other weights are never taken for each other.
    return f"{adapter.mode}-{adapter.manifest.sha256[:16]}"


def _read_tensors(adapter: Adapter) -> dict[str, Any]:
    """Read the weights, and once more whether they are those that were checked."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        content = adapter.weights_file.read_bytes()
        if hashlib.sha256(content).hexdigest() == adapter.manifest.sha256.lower():
            return dict(load(content))
    except (OSError, SafetensorError):
        pass
    raise refused(adapter.folder, "its weights changed since they were checked")


def _fingerprint_of(model: Any) -> str:
    folder = Path(str(getattr(model.config, "_name_or_path", "") or "."))
    try:
        return weights_fingerprint(read_torch_folder(folder).shards)
    except (ModelMissingError, OSError, ValueError) as error:
        raise ExpertAdapterError(
            "Whether an adapter was made for this model can't be told: the files it was loaded from are not "
            "at hand.",
            "Load the model from its folder of safetensors.",
        ) from error
