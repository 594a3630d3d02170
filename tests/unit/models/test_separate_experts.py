"""Mixtures whose experts transformers fuses, loaded with each expert shrunk."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = pytest.mark.slow

from hexcore_engine.inference.pipeline import HexcorePipeline  # noqa: E402
from hexcore_engine.models.loader import LoadedTorchModel, load_torch_model  # noqa: E402
from hexcore_engine.models.separate_experts import SeparateExpert, SeparateExperts  # noqa: E402
from hexcore_engine.models.torch_folder import SEPARABLE_EXPERTS, describe_torch_folder  # noqa: E402
from tests.unit.tiny_models import make_mixture  # noqa: E402

SIZES: dict[str, dict[str, Any]] = {
    "mixtral": {"num_local_experts": 4},
    "olmoe": {"num_experts": 4},
    "qwen3_moe": {"num_experts": 4, "moe_intermediate_size": 128, "head_dim": 16},
}
NUM_EXPERT_WEIGHTS = 2 * 4 * 3 * 64 * 128


@pytest.fixture(scope="module", params=sorted(SEPARABLE_EXPERTS))
def mixture(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / request.param
    return make_mixture(folder, request.param, context_tokens=1024, **SIZES[request.param])


def experts_of(loaded: LoadedTorchModel) -> list[Any]:
    return [layer.mlp.experts for layer in loaded.model.model.layers]


def logits_of(loaded: LoadedTorchModel) -> Any:
    ids = torch.randint(3, 300, (1, 60), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        return loaded.model(input_ids=ids).logits.float()


@pytest.mark.parametrize(("kind", "dtype", "tolerance"), [("4bit", "uint8", 0.2), ("8bit", "int8", 0.03)])
def test_every_expert_is_shrunk_as_planned_and_says_nearly_what_it_said(
    mixture: Path, kind: str, dtype: str, tolerance: float
) -> None:
    whole, shrunk = (load_torch_model(mixture, wanted, device_map="cpu") for wanted in ("none", kind))
    held: Counter[str] = Counter()
    for experts in experts_of(shrunk):
        assert isinstance(experts, SeparateExperts)
        for weight in experts.parameters():
            held[str(weight.dtype).removeprefix("torch.")] += weight.numel() * weight.element_size()
    assert held == {dtype: NUM_EXPERT_WEIGHTS // (2 if kind == "4bit" else 1)}
    assert shrunk.plan.unquantised_bytes == 0
    assert shrunk.weights_bytes == pytest.approx(shrunk.plan.weights_bytes, rel=0.001)
    told = describe_torch_folder(mixture, kind).weights_bytes
    assert told == pytest.approx(shrunk.weights_bytes, rel=0.25)
    expected = logits_of(whole)
    assert (logits_of(shrunk) - expected).std() < tolerance * expected.std()


def test_whole_weights_stay_fused_and_separate_ones_compute_the_same(mixture: Path) -> None:
    loaded = load_torch_model(mixture, "none", device_map="cpu", dtype=torch.float32)
    expected = logits_of(loaded)
    names = ("gate", "up", "down")
    for layer in loaded.model.model.layers:
        fused = layer.mlp.experts
        separate = SeparateExperts(
            SeparateExpert(names, 64, 128, fused.act_fn, torch.float32) for _ in range(4)
        )
        for expert, gate_up, down in zip(separate, fused.gate_up_proj, fused.down_proj, strict=True):
            for name, weight in zip(names, (*gate_up.chunk(2), down), strict=True):
                expert.get_submodule(name).weight.data = weight.data
        layer.mlp.experts = separate
    torch.testing.assert_close(logits_of(loaded), expected, atol=1e-5, rtol=0)


def test_the_pipeline_answers_with_experts_in_four_bits(
    mixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path / "home"))
    pipeline = HexcorePipeline(str(mixture), quantization_type="4bit", device_map="cpu")
    answer = pipeline.generate("What does trample do?", max_new_tokens=5)
    assert answer["metadata"]["usage"]["generated_tokens"] == 5
    assert isinstance(pipeline.model.model.layers[0].mlp.experts, SeparateExperts)
    pipeline.close()
