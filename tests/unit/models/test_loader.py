from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.errors import DeviceMappingError, ModelMissingError, UsageError

torch = pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = pytest.mark.slow

from hexcore_engine.models.device_map import plan_weights  # noqa: E402
from hexcore_engine.models.load_times import LoadWatch  # noqa: E402
from hexcore_engine.models.loader import load_torch_model  # noqa: E402
from hexcore_engine.models.quantization import choose_quantization  # noqa: E402
from hexcore_engine.utils.device import DeviceCapabilities, cpu_has_fast_bf16  # noqa: E402
from tests.unit.tiny_models import make_llama, make_mixture  # noqa: E402


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_llama(tmp_path_factory.mktemp("models") / "llama")


@pytest.mark.parametrize("kind", ["none", "4bit", "8bit"])
def test_the_plan_is_what_loading_takes(llama: Path, kind: str) -> None:
    loaded = load_torch_model(llama, kind, device_map="cpu")
    assert loaded.quantization == kind
    assert loaded.weights_bytes == pytest.approx(loaded.plan.weights_bytes, rel=0.02)


def test_quantised_weights_are_smaller(llama: Path) -> None:
    import torch

    sizes = {
        kind: plan_weights(llama, kind, torch.bfloat16).weights_bytes for kind in ("none", "8bit", "4bit")
    }
    assert sizes["none"] > sizes["8bit"] > sizes["4bit"]


def test_fused_experts_that_would_stay_whole_are_refused_with_numbers(tmp_path: Path) -> None:
    sizes = {"num_experts": 4, "moe_intermediate_size": 128, "shared_expert_intermediate_size": 128}
    folder = make_mixture(tmp_path / "mixture", "qwen2_moe", **sizes)
    with pytest.raises(DeviceMappingError, match="would stay unquantised") as caught:
        load_torch_model(folder, "4bit", device_map="cpu")
    assert "models use http" in caught.value.remedy
    assert load_torch_model(folder, "none", device_map="cpu").weights_bytes > 0


def test_too_little_memory_is_refused_before_loading(llama: Path) -> None:
    with pytest.raises(DeviceMappingError, match="may be used"):
        load_torch_model(llama, "none", device_map="cpu", max_memory={"cpu": 1000})


def test_cuda_that_is_not_there_is_said(llama: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(DeviceMappingError, match="no CUDA device"):
        load_torch_model(llama, device_map="cuda")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"device_map": "gpu0"}, "no device map 'gpu0'"),
        ({"device_map": None}, "no device map None"),
        ({"device_map": {"": "disk"}}, "can't place weights on disk"),
        ({"device_map": {}}, "can't place weights on nothing"),
        ({"max_memory": {"cpu": "lots"}}, "max_memory can't be 'lots'"),
        ({"max_memory": {"cpu": -1}}, "max_memory can't be -1"),
        ({"max_memory": {"gpu": 3}}, "knows no device 'gpu'"),
    ],
)
def test_a_device_or_a_size_that_is_none_is_named(llama: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as caught:
        load_torch_model(llama, "none", **({"device_map": "cpu"} | options))
    assert caught.value.remedy


def test_a_map_of_modules_places_them_and_asks_for_no_device_that_is_absent(llama: Path) -> None:
    assert load_torch_model(llama, "none", device_map={"": "cpu"}).device.device == "cpu"
    for place in ("cuda:99", 99):
        with pytest.raises(DeviceMappingError, match=r"no (CUDA )?device"):
            load_torch_model(llama, "none", device_map={"model": "cpu", "lm_head": place})


def test_sizes_are_bytes_or_words_and_those_of_gpus_count_where_there_are_any(llama: Path) -> None:
    for size in (10**9, "1GiB", "0.5 GB", "900MB"):
        assert load_torch_model(llama, "none", device_map="cpu", max_memory={"cpu": size, 0: 1})
    if not torch.cuda.is_available():
        assert load_torch_model(llama, "none", max_memory={0: 1})


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path) -> None:
    folder = make_llama(tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 100}))
    with pytest.raises(ModelMissingError, match="not its own"):
        load_torch_model(folder, device_map="cpu")


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    folder = make_llama(tmp_path / "m", template=None)
    with pytest.raises(ModelMissingError, match="no chat template"):
        load_torch_model(folder, device_map="cpu")


def test_the_kind_follows_from_the_machine() -> None:
    cpu = DeviceCapabilities("cpu", True)
    gpu = DeviceCapabilities("cuda:0", True, (8, 9), 24 * 2**30)
    assert choose_quantization("auto", cpu, 135_000_000) == "none"
    assert choose_quantization("auto", gpu, 47_000_000_000) == "4bit"
    assert choose_quantization("8bit", gpu, 1) == "8bit"
    with pytest.raises(UsageError, match="no quantization"):
        choose_quantization("3bit", cpu, 1)


def test_bf16_is_fast_only_where_the_processor_says_so() -> None:
    assert cpu_has_fast_bf16("flags : avx2 avx512_bf16")
    assert not cpu_has_fast_bf16("flags : avx2 avx512f")


def test_what_was_read_is_counted_in_bytes_and_the_stages_come_in_order(llama: Path) -> None:
    watch = LoadWatch({"starting torch": 1.0, "reading the weights": 8.0, "warming up": 1.0})
    heard: list[float] = []
    reached = watch.reached

    def listen(share: float) -> None:
        reached(share)
        heard.append(share)

    watch.reached = listen  # type: ignore[method-assign]
    watch.begin("starting torch")
    load_torch_model(llama, "none", device_map="cpu", watch=watch)
    assert len(heard) > 10
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1.0)
    assert watch.progress().share == pytest.approx(0.9)
    assert list(watch.finish()) == ["starting torch", "reading the weights"]
