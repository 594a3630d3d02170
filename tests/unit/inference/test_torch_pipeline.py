"""The public class on a torch model, as a library uses it."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from hexcore_engine.errors import DeviceMappingError, HexcoreError, ModelMissingError, UsageError

torch = pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = pytest.mark.slow

from hexcore_engine.inference.pipeline import HexcorePipeline  # noqa: E402
from hexcore_engine.models.device_map import plan_weights  # noqa: E402
from tests.unit.small_adapters import make_adapter  # noqa: E402
from tests.unit.tiny_models import make_llama  # noqa: E402

QUESTION = "What does trample do?"


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_llama(tmp_path_factory.mktemp("models") / "llama", context_tokens=1024)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEXCORE_OFFLINE", "1")


@pytest.mark.parametrize("kind", ["4bit", "8bit", "none"])
def test_it_answers_from_a_folder_and_shows_its_parts(llama: Path, kind: str) -> None:
    pipeline = HexcorePipeline(str(llama), quantization_type=kind, device_map="cpu")
    assert type(pipeline.model).__name__ == "LlamaForCausalLM"
    assert "<|im_end|>" in pipeline.tokenizer.get_vocab()
    answer = pipeline.generate(QUESTION, max_new_tokens=5, temperature=0.8, seed=3, mode="TEACH", top_p=0.9)
    assert set(answer) == {"response", "metadata"}
    metadata = answer["metadata"]
    assert metadata["usage"]["generated_tokens"] == 5
    assert metadata["plan"]["predicted_peak_bytes"] > 0
    assert metadata["plan"]["predicted_time_ms"] > 0
    assert metadata["mode"]["mode"] == "TEACH"
    assert pipeline.kv_cache_manager.statistics().num_entries > 0
    pipeline.close()


def test_closing_gives_the_weights_back(llama: Path) -> None:
    pipeline = HexcorePipeline(str(llama), quantization_type="none", device_map="cpu")
    weights = weakref.ref(pipeline.model.model.layers[0].mlp.up_proj.weight)
    pipeline.generate(QUESTION, max_new_tokens=3)
    pipeline.close()
    gc.collect()
    assert weights() is None
    assert (pipeline.model, pipeline.tokenizer, pipeline.kv_cache_manager) == (None, None, None)
    pipeline.close()


def test_adapters_of_its_folder_write_and_closing_gives_all_back(llama: Path, tmp_path: Path) -> None:
    make_adapter(tmp_path / "adapters" / "judge", llama, "REASON")
    pipeline = HexcorePipeline(
        str(llama),
        quantization_type="none",
        device_map="cpu",
        expert_adapters_dir=str(tmp_path / "adapters"),
    )
    weights = weakref.ref(pipeline.model.model.layers[0].mlp.up_proj.weight)
    notes = pipeline.generate(QUESTION, max_new_tokens=3, mode="REASON")["metadata"]["notes"]
    assert "The adapter judge for REASON answered." in notes
    assert [record.name for record in pipeline.expert_manager.available() if record.loaded] == ["judge"]
    assert not pipeline.cross_expert.is_gated
    pipeline.close()
    gc.collect()
    assert weights() is None
    assert (pipeline.expert_manager, pipeline.cross_expert) == (None, None)


def test_adapters_are_looked_for_below_the_home(llama: Path, tmp_path: Path) -> None:
    make_adapter(tmp_path / "home" / "adapters" / "judge", llama, "REASON")
    pipeline = HexcorePipeline(str(llama), quantization_type="none", device_map="cpu")
    assert pipeline.expert_manager.modes() == ("REASON",)
    pipeline.close()


def test_what_does_not_fit_max_memory_is_refused_with_the_numbers(llama: Path) -> None:
    with pytest.raises(DeviceMappingError, match=r"need \d+ MiB and \d+ MiB may be used") as caught:
        HexcorePipeline(str(llama), device_map="cpu", max_memory={"cpu": "50KB"})
    assert caught.value.remedy


def test_a_model_whose_context_holds_no_prompt_is_refused_as_a_model(tmp_path: Path) -> None:
    short = make_llama(tmp_path / "short", context_tokens=64)
    with pytest.raises(ModelMissingError, match=r"short holds 64 tokens of context") as caught:
        HexcorePipeline(str(short), quantization_type="none", device_map="cpu")
    assert "longer context" in caught.value.remedy


def test_cuda_that_is_not_there_is_refused_and_the_processor_answers(llama: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(DeviceMappingError, match="no CUDA device") as caught:
        HexcorePipeline(str(llama), quantization_type="none", device_map="cuda")
    assert "cpu" in caught.value.remedy
    made = HexcorePipeline(str(llama), quantization_type="none", device_map="cpu")
    assert made.generate(QUESTION, max_new_tokens=3)["response"]
    made.close()


def test_without_memory_optimisation_no_prompt_is_kept_and_nothing_is_given_up(llama: Path) -> None:
    made = HexcorePipeline(
        str(llama), quantization_type="none", device_map="cpu", enable_memory_optimization=False
    )
    made.generate(QUESTION, max_new_tokens=3)
    assert made.kv_cache_manager.statistics().num_entries == 0
    weights_mb = plan_weights(llama, "none", torch.bfloat16).weights_bytes / 2**20
    with pytest.raises(HexcoreError, match="MiB") as caught:
        made.generate(QUESTION, memory_budget_mb=weights_mb)
    assert caught.value.code == "HX-MEMORY"
    assert made.generate(QUESTION, max_new_tokens=3)["response"]
    made.close()


def test_an_unknown_quantization_is_named_before_anything_is_loaded(llama: Path) -> None:
    with pytest.raises(UsageError, match="3bit"):
        HexcorePipeline(str(llama), quantization_type="3bit")


def test_the_default_model_that_is_not_there_is_named_with_the_command_and_nothing_is_fetched() -> None:
    with pytest.raises(ModelMissingError, match=r"mistralai/Mixtral-8x7B-v0\.1") as caught:
        HexcorePipeline()
    assert "hexcore models get mistralai/Mixtral-8x7B-v0.1" in caught.value.remedy
