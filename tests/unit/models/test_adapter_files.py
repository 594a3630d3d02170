from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest

from hexcore_engine.errors import ExpertAdapterError
from hexcore_engine.models.adapter_files import MANIFEST_NAME, WEIGHTS_NAME, read_adapter
from hexcore_engine.models.adapter_index import AdapterIndex
from hexcore_engine.models.fingerprint import weights_fingerprint
from hexcore_engine.models.torch_folder import read_torch_folder
from tests.unit.small_adapters import change_manifest, make_adapter, rehash, write_safetensors
from tests.unit.tiny_models import make_header_only


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return make_header_only(tmp_path / "base")


def index_of(folder: Path, base: Path) -> AdapterIndex:
    return AdapterIndex(folder, lambda: weights_fingerprint(read_torch_folder(base).shards))


def write_tensor(folder: Path, name: str, values: numpy.ndarray) -> None:
    """Weights of one pair, of which one tensor is `values`."""
    pair = "base_model.model.model.layers.0.self_attn.q_proj.lora_"
    tensors = {f"{pair}A.weight": numpy.ones((4, 64)), f"{pair}B.weight": numpy.ones((64, 4))}
    write_safetensors(folder / WEIGHTS_NAME, tensors | {name.replace("PAIR_", pair): values})
    rehash(folder)


def cut_short(folder: Path) -> None:
    content = (folder / WEIGHTS_NAME).read_bytes()
    (folder / WEIGHTS_NAME).write_bytes(content[:-100])


FAULTS: list[tuple[Callable[[Path], object], str]] = [
    (lambda folder: (folder / MANIFEST_NAME).unlink(), "has no adapter.json"),
    (lambda folder: (folder / MANIFEST_NAME).write_text("{"), "adapter.json is unusable"),
    (lambda folder: (folder / MANIFEST_NAME).write_bytes(b"\xff\xfe{}"), "adapter.json is unusable"),
    (lambda folder: (folder / MANIFEST_NAME).write_bytes(b'{"mode": "\xff"}'), "adapter.json is unusable"),
    (lambda folder: (folder / MANIFEST_NAME).write_text("[" * 100_000), "adapter.json is unusable"),
    (lambda folder: change_manifest(folder, mode="DREAM"), "adapter.json is unusable"),
    (lambda folder: change_manifest(folder, color="red"), "adapter.json is unusable"),
    (lambda folder: change_manifest(folder, rank=0), "adapter.json is unusable"),
    (lambda folder: change_manifest(folder, sha256="0" * 64), "sha256 differs"),
    (lambda folder: change_manifest(folder, rank=8), "does not fit the rank 8"),
    (lambda folder: change_manifest(folder, kind="alora"), "names no tokens that invoke it"),
    (lambda folder: change_manifest(folder, invocation_tokens=[5]), "never invoked by tokens"),
    (lambda folder: change_manifest(folder, target_modules=["q_proj", "gate_proj"]), "only attention"),
    (lambda folder: change_manifest(folder, target_modules=["q_proj"]), "does not name"),
    (lambda folder: (folder / WEIGHTS_NAME).unlink(), "has no adapter_model.safetensors"),
    (cut_short, "cut short"),
    (lambda folder: (folder / WEIGHTS_NAME).write_bytes(b"PK\x03\x04 a pickle"), "cut short or damaged"),
    (lambda folder: (folder / "adapter_model.bin").write_bytes(b"\x80\x04."), "pickled"),
    (lambda folder: write_tensor(folder, "PAIR_A.weight", numpy.full((4, 64), numpy.nan)), "none"),
    (lambda folder: write_tensor(folder, "PAIR_B.weight", numpy.full((64, 4), numpy.inf)), "none"),
    (lambda folder: write_tensor(folder, "lm_head.weight", numpy.ones((4, 4))), "no part of a LoRA"),
    (
        lambda folder: write_tensor(
            folder, "base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight", numpy.ones((4, 64))
        ),
        "half of the pair",
    ),
]


@pytest.mark.parametrize(("break_it", "reason"), FAULTS)
def test_an_adapter_that_is_not_whole_is_refused_with_the_reason_and_what_to_do(
    break_it: Callable[[Path], object], reason: str, base: Path, tmp_path: Path
) -> None:
    folder = make_adapter(tmp_path / "adapters" / "judge", base)
    break_it(folder)
    with pytest.raises(ExpertAdapterError, match=reason) as caught:
        read_adapter(folder)
    assert "judge" in caught.value.message
    assert caught.value.remedy != ExpertAdapterError.default_remedy
    (record,) = index_of(tmp_path / "adapters", base).records()
    assert not record.available
    assert reason in record.note


def test_modules_that_are_not_attention_are_refused_whatever_they_are_called(
    base: Path, tmp_path: Path
) -> None:
    folder = make_adapter(tmp_path / "a", base, module="mlp.experts")
    with pytest.raises(ExpertAdapterError, match="only attention may be adapted"):
        read_adapter(folder)


def test_an_adapter_for_another_base_is_refused(base: Path, tmp_path: Path) -> None:
    make_adapter(tmp_path / "adapters" / "a", base, base_model_hash="f" * 64)
    index = index_of(tmp_path / "adapters", base)
    assert index.modes() == ()
    with pytest.raises(ExpertAdapterError, match="made for another model"):
        index.find("REASON")


def test_whole_adapters_are_listed_beside_the_refused_ones(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "adapters"
    make_adapter(folder / "a", base, "REASON", seed=1)
    make_adapter(folder / "b", base, "REASON", seed=2)
    make_adapter(folder / "c", base, "TEACH", invocation=(3, 4))
    (folder / "empty").mkdir()
    records = {record.name: record for record in index_of(folder, base).records()}
    assert [name for name, record in records.items() if record.available] == ["a", "c"]
    assert "a comes first" in records["b"].note
    assert records["c"].kind == "alora"
    assert "has no adapter.json" in records["empty"].note
    assert index_of(folder, base).find("REASON").name == "a"


def test_a_folder_that_changed_is_read_again(base: Path, tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "adapters" / "a", base)
    index = index_of(tmp_path / "adapters", base)
    assert index.modes() == ("REASON",)
    pickle = folder / "more.bin"
    pickle.write_bytes(b"\x80\x04.")
    assert index.modes() == ()
    pickle.unlink()
    assert index.modes() == ("REASON",)
    assert AdapterIndex(tmp_path / "nowhere", lambda: "").records() == ()


def test_a_fingerprint_is_of_the_weights_not_of_their_shards(tmp_path: Path) -> None:
    first, second = numpy.arange(600.0).reshape(20, 30), numpy.ones((8, 4))
    write_safetensors(tmp_path / "whole.safetensors", {"a": first, "b": second})
    write_safetensors(tmp_path / "one.safetensors", {"b": second})
    write_safetensors(tmp_path / "two.safetensors", {"a": first})
    whole = weights_fingerprint([tmp_path / "whole.safetensors"])
    assert whole == weights_fingerprint([tmp_path / "one.safetensors", tmp_path / "two.safetensors"])
    write_safetensors(tmp_path / "two.safetensors", {"a": first * 1.01})
    assert whole != weights_fingerprint([tmp_path / "one.safetensors", tmp_path / "two.safetensors"])


def test_names_from_a_folder_can_move_no_cursor(base: Path, tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "adapters" / "a\x1b[31mred", base)
    (folder / MANIFEST_NAME).write_text(json.dumps({"\x1b[2J": 1}))
    (record,) = index_of(tmp_path / "adapters", base).records()
    assert "\x1b" not in record.name + record.note
