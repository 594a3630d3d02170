from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from hexcore_engine.errors import ModelMissingError
from hexcore_engine.models.fit import fit_line, fit_text, plan_fit
from hexcore_engine.models.torch_folder import INDEX_NAME, describe_torch_folder, read_torch_folder
from hexcore_engine.settings import ModelSettings
from hexcore_engine.utils.device import cpu_has_fast_bf16
from hexcore_engine.utils.memory import GpuMemory, ScriptedMemoryDriver, SystemMemory
from tests.conftest import paths_of
from tests.unit.tiny_models import make_header_only


def test_a_whole_folder_is_described_without_torch(tmp_path: Path) -> None:
    folder = make_header_only(tmp_path / "mossback")
    record = describe_torch_folder(folder, "4bit", 512)
    assert (record.name, record.decoder, record.num_parameters) == ("mossback", "torch", 6)
    assert (record.quantization, record.context_tokens, record.small) == ("4bit", 512, True)


def test_cache_bytes_follow_from_layers_and_heads(tmp_path: Path) -> None:
    found = read_torch_folder(make_header_only(tmp_path / "m"))
    assert found.kv_bytes_per_token() == 2 * 2 * 2 * 4 * 16


def _remove(name: str):  # type: ignore[no-untyped-def]
    return lambda folder: (folder / name).unlink()


def _write(name: str, data: bytes):  # type: ignore[no-untyped-def]
    return lambda folder: (folder / name).write_bytes(data)


def _cut(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-3])


def _index(folder: Path) -> None:
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model.safetensors"}
    (folder / INDEX_NAME).write_text(json.dumps({"weight_map": shards}))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_remove("config.json"), "no config.json"),
        (_write("config.json", b"{nonsense"), "config.json can't be read"),
        (_write("config.json", b"[]"), "is no object"),
        (_write("config.json", b"[" * 100_000), "config.json can't be read"),
        (_write("config.json", b'{"hidden_size": 1e999}'), "no whole number for hidden_size"),
        (_write("config.json", b'{"num_hidden_layers": "two"}'), "no whole number for num_hidden_layers"),
        (_write("config.json", b'{"auto_map": {"AutoModel": "own.py"}}'), "code of its own"),
        (_remove("tokenizer.json"), "no tokenizer"),
        (_remove("model.safetensors"), "no safetensors"),
        (_cut, "cut short"),
        (_write("model.safetensors", b"not one"), "cut short"),
        (_write("pytorch_model.bin", b"\x80\x04."), "pickled weights"),
        (_index, "model-00001-of-00002.safetensors is missing"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused_with_the_reason(tmp_path: Path, harm, said: str) -> None:  # type: ignore[no-untyped-def]
    folder = make_header_only(tmp_path / "m")
    harm(folder)
    with pytest.raises(ModelMissingError, match=said) as caught:
        read_torch_folder(folder)
    assert caught.value.remedy


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="no model folder"):
        read_torch_folder(tmp_path / "nowhere")


def test_experts_in_fused_tensors_are_planned_whole_and_said(tmp_path: Path) -> None:
    paths = paths_of(tmp_path / "home")
    folder = make_header_only(tmp_path / "many-minds")
    header = json.dumps(
        {
            "model.layers.0.mlp.experts.3.w1.weight": {
                "dtype": "BF16",
                "shape": [1000, 1000],
                "data_offsets": [0, 2_000_000],
            },
            "model.layers.0.self_attn.q_proj.weight": {
                "dtype": "BF16",
                "shape": [100, 100],
                "data_offsets": [2_000_000, 2_020_000],
            },
        }
    ).encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(2_020_000))
    assert read_torch_folder(folder).weights_bytes("4bit") == 2_000_000 + 5_200
    pytest.importorskip("torch", reason="the torch extra is not installed")
    fit = plan_fit(ModelSettings(path=str(folder), quantization="4bit"), paths)
    assert not fit.fits
    assert "models use http" in fit_line(fit)
    whole = plan_fit(ModelSettings(path=str(folder), quantization="none"), paths)
    assert (whole.note, whole.fits) == ("", True)


def test_a_plan_counts_what_would_be_loaded_and_tells_its_parts(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the torch extra is not installed")
    paths = paths_of(tmp_path / "home")
    folder = make_header_only(tmp_path / "model")
    weights = {
        "model.embed_tokens.weight": [1000, 500],
        "model.layers.0.self_attn.q_proj.weight": [1000, 1000],
    }
    write_header(folder, weights)
    settings = ModelSettings(path=str(folder))
    large, small = (
        ScriptedMemoryDriver(devices=[GpuMemory(0, "card", size, 0)]) for size in (10**8, 5 * 10**6)
    )
    whole, shrunk = plan_fit(settings, paths, large), plan_fit(settings, paths, small)
    assert (whole.model.quantization, whole.weights_bytes, whole.whole_bytes) == (None, 3_000_000, 0)
    assert "left whole" not in fit_text(whole)
    # `auto` shrinks where 16 bits would take half of the device.
    assert (shrunk.model.quantization, shrunk.weights_bytes) == ("4bit", 520_000 + 1_000_000)
    assert shrunk.whole_bytes == 1_000_000
    assert [line.split() for line in fit_text(shrunk).splitlines()[1:4]] == [
        ["weights", "1", "MiB"],
        ["in", "4bit", "0", "MiB"],
        ["left", "whole", "1", "MiB"],
    ]
    assert (whole.available_bytes, shrunk.fits) == (10**8, False)


def test_a_processor_that_computes_in_32_bits_needs_twice_the_bytes(tmp_path: Path) -> None:
    folder = make_header_only(tmp_path / "model")
    write_header(
        folder, {"model.embed_tokens.weight": [10, 10], "model.layers.0.mlp.up_proj.weight": [10, 100]}
    )
    found = read_torch_folder(folder)
    assert found.weights_bytes("none", 4) == 2 * found.weights_bytes("none") == 4400
    assert found.weights_bytes("8bit", 4) == found.weights_bytes("8bit") + 200 == 1010 + 400
    pytest.importorskip("torch", reason="the torch extra is not installed")
    system = SystemMemory("processor", 10**10, 10**10)
    fit = plan_fit(ModelSettings(path=str(folder)), paths_of(tmp_path / "home"), ScriptedMemoryDriver(system))
    assert fit.weights_bytes == 1100 * (2 if cpu_has_fast_bf16() else 4)


def write_header(folder: Path, shapes: dict[str, list[int]]) -> None:
    """Write a file of 16-bit weights that are all zero."""
    header, end = {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [begin, end]}
    encoded = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(encoded).to_bytes(8, "little") + encoded + bytes(end))
