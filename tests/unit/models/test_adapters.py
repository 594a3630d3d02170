from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine import apply_expert_adapter
from hexcore_engine.errors import ExpertAdapterError

torch = pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = pytest.mark.slow

from hexcore_engine.models.adapter_files import WEIGHTS_NAME  # noqa: E402
from hexcore_engine.models.adapters import ExpertAdapterManager  # noqa: E402
from hexcore_engine.models.loader import load_torch_model  # noqa: E402
from tests.unit.small_adapters import change_manifest, make_adapter  # noqa: E402
from tests.unit.tiny_models import make_llama  # noqa: E402

INVOCATION = (1, 77)
IDS = torch.tensor([[40, 41, 42, 43, 44, 45, 1, 77, 50, 51]])
ACTIVE = 4


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_llama(tmp_path_factory.mktemp("models") / "llama")


@pytest.fixture(scope="module")
def adapters(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters")
    make_adapter(folder / "judge", base, "REASON", seed=1)
    make_adapter(folder / "teacher", base, "TEACH", seed=2)
    make_adapter(folder / "seer", base, "PREDICT", seed=3, invocation=INVOCATION)
    return folder


@pytest.fixture(scope="module")
def model(base: Path) -> Any:
    return load_torch_model(base, "none", device_map="cpu", dtype=torch.float32).model


@pytest.fixture
def manager(model: Any, adapters: Path) -> Iterator[ExpertAdapterManager]:
    manager = ExpertAdapterManager(model, adapters)
    yield manager
    manager.close()


def logits(model: Any) -> Any:
    with torch.inference_mode():
        return model(input_ids=IDS).logits[0]


def test_the_base_is_itself_while_adapters_are_loaded_and_after(
    model: Any, manager: ExpertAdapterManager
) -> None:
    before, kind = logits(model), type(model.model.layers[0].self_attn.q_proj)
    manager.load("REASON", "TEACH", "PREDICT")
    assert torch.equal(logits(model), before)
    assert manager.use("REASON") == (True, None)
    assert not torch.allclose(logits(model), before, atol=1e-2)
    manager.use(None)
    assert torch.equal(logits(model), before)
    manager.unload("REASON")
    assert torch.equal(logits(model), before)
    for mode in ("TEACH", "PREDICT"):
        manager.unload(mode)
    assert torch.equal(logits(model), before)
    assert type(model.model.layers[0].self_attn.q_proj) is kind


def test_an_adapter_does_what_its_weights_say(model: Any, base: Path, tmp_path: Path) -> None:
    """Against the same change made to the weights themselves."""
    from safetensors.torch import load_file

    folder = make_adapter(tmp_path / "adapters" / "a", base, rank=2, alpha=6, targets=("q_proj", "o_proj"))
    changed = load_torch_model(base, "none", device_map="cpu", dtype=torch.float32).model
    tensors = load_file(str(folder / WEIGHTS_NAME))
    for name, down in tensors.items():
        if name.endswith("lora_A.weight"):
            up = tensors[name.replace("lora_A", "lora_B")]
            module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
            changed.get_submodule(module).weight.data += 3 * up @ down
    manager = ExpertAdapterManager(model, tmp_path / "adapters")
    manager.use("REASON")
    assert torch.allclose(logits(model), logits(changed), atol=1e-4)
    manager.close()


def test_rows_of_one_batch_use_different_adapters(manager: ExpertAdapterManager) -> None:
    rows = (*manager.load("REASON", "TEACH", "PREDICT"), None)
    with torch.inference_mode():
        mixed = manager.run(rows, [0, 0, ACTIVE, 0], input_ids=IDS.repeat(4, 1)).logits
        for place, row in enumerate(rows):
            alone = manager.run([row], [ACTIVE], input_ids=IDS).logits[0]
            assert torch.allclose(mixed[place], alone, atol=1e-4)


def test_an_activated_adapter_leaves_what_is_before_its_invocation_to_the_base(
    model: Any, manager: ExpertAdapterManager
) -> None:
    before = logits(model)
    (seer,) = manager.load("PREDICT")
    with torch.inference_mode():
        found = manager.run([seer], [ACTIVE], input_ids=IDS).logits[0]
    assert torch.equal(found[:-ACTIVE], before[:-ACTIVE])
    assert not torch.allclose(found[-ACTIVE:], before[-ACTIVE:], atol=1e-2)


def test_a_plain_forward_of_an_activated_adapter_is_refused_not_run_as_the_base(
    model: Any, manager: ExpertAdapterManager
) -> None:
    assert manager.use("PREDICT") == (True, None)
    with pytest.raises(ExpertAdapterError, match="answer unnoticed"):
        logits(model)
    judge, seer = manager.load("REASON", "PREDICT")
    with torch.inference_mode():
        mixed = manager.run([judge, seer], [0, ACTIVE], input_ids=IDS.repeat(2, 1)).logits
        alone = manager.run_batched([seer], [ACTIVE], input_ids=IDS).logits
    assert torch.allclose(mixed[1], alone[0], atol=1e-4)
    manager.use(None)
    logits(model)


def test_what_was_used_least_recently_goes_first(base: Path, model: Any, adapters: Path) -> None:
    manager = ExpertAdapterManager(model, adapters)
    size = manager.available()[0].size_bytes or 0
    manager.close()
    manager = ExpertAdapterManager(model, adapters, limit_bytes=2 * size)

    def loaded() -> set[str]:
        return {record.name for record in manager.available() if record.loaded}

    before = logits(model)
    for mode in ("REASON", "TEACH", "REASON", "PREDICT"):
        manager.load(mode)
    assert loaded() == {"judge", "seer"}
    assert manager.loaded_bytes <= 2 * size
    assert torch.equal(logits(model), before)
    with pytest.raises(ExpertAdapterError, match="adapters may take"):
        manager.load("REASON", "TEACH", "PREDICT")
    assert manager.use("REASON") == (True, None)
    manager.close()
    assert torch.equal(logits(model), before)


def test_an_adapter_in_use_that_goes_leaves_the_base(manager: ExpertAdapterManager, model: Any) -> None:
    before = logits(model)
    manager.load("TEACH")
    manager.use("REASON")
    manager.unload("REASON")
    assert manager.active is None
    assert torch.equal(logits(model), before)


def test_no_adapter_is_a_reason_and_the_base(manager: ExpertAdapterManager, model: Any) -> None:
    before = logits(model)
    manager.use("REASON")
    ok, reason = manager.use("EXPLAIN")
    assert not ok
    assert "No adapter for EXPLAIN is installed." in str(reason)
    assert torch.equal(logits(model), before)


def test_modules_of_other_shapes_are_refused(model: Any, base: Path, tmp_path: Path) -> None:
    make_adapter(tmp_path / "adapters" / "a", base, targets=("q_proj",))
    other = make_llama(tmp_path / "wide", seed=5)
    config = (other / "config.json").read_text().replace('"hidden_size": 64', '"hidden_size": 32')
    (other / "config.json").write_text(config)
    folder = make_adapter(tmp_path / "adapters" / "b", other, "TEACH")
    manager = ExpertAdapterManager(model, tmp_path / "adapters")
    change_manifest(folder, base_model_hash=manager.base_hash())
    before = logits(model)
    ok, reason = manager.use("TEACH")
    assert not ok
    assert "has another shape in this model" in str(reason)
    assert manager.use("REASON") == (True, None)
    manager.close()
    assert torch.equal(logits(model), before)


def test_weights_that_change_between_check_and_load_are_refused(
    model: Any, base: Path, tmp_path: Path
) -> None:
    folder = make_adapter(tmp_path / "adapters" / "a", base)
    manager = ExpertAdapterManager(model, tmp_path / "adapters")
    adapter = manager._index.find("REASON")
    (folder / WEIGHTS_NAME).write_bytes((folder / WEIGHTS_NAME).read_bytes()[:-4] + bytes(4))
    with pytest.raises(ExpertAdapterError, match="changed since"):
        manager.load_adapters((adapter,))
    manager.close()


def test_loading_asks_no_model_for_its_state(
    manager: ExpertAdapterManager, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 4-bit model that was used is changed by `state_dict()`."""

    def forbidden(*arguments: Any, **options: Any) -> None:
        raise AssertionError("state_dict() was called")

    monkeypatch.setattr(torch.nn.Module, "state_dict", forbidden)
    manager.load("REASON", "TEACH")
    assert manager.use("TEACH") == (True, None)
    assert torch.isfinite(logits(model)).all()
    manager.unload("REASON")


def test_adapters_on_4_bit_weights_leave_them_as_they_are(base: Path, adapters: Path) -> None:
    pytest.importorskip("bitsandbytes")
    model = load_torch_model(base, "4bit", device_map="cpu").model
    before = logits(model)
    manager = ExpertAdapterManager(model, adapters)
    for mode in ("REASON", "PREDICT", "TEACH"):
        assert manager.use(mode) == (True, None)
        with torch.inference_mode():
            manager.run([manager.active], [ACTIVE], input_ids=IDS)
    manager.close()
    assert torch.equal(logits(model), before)


def test_the_public_function_stands_as_the_plan_names_it() -> None:
    signature = inspect.signature(apply_expert_adapter)
    assert list(signature.parameters) == ["model", "expert_type", "adapter_path", "device"]
    assert signature.parameters["adapter_path"].default is None
    assert signature.parameters["device"].default is None
    assert signature.return_annotation == "tuple[bool, str | None]"


def test_apply_expert_adapter_answers_ok_or_why_not(
    model: Any, base: Path, adapters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path))
    before = logits(model)
    assert apply_expert_adapter(model, "reason", adapters / "judge") == (True, None)
    judged = logits(model)
    assert not torch.equal(judged, before)
    assert apply_expert_adapter(model, "TEACH", str(adapters / "teacher"), device="cpu") == (True, None)
    assert not torch.equal(logits(model), judged)
    for expert, path, reason in (
        ("JUDGE", None, "There is no expert 'JUDGE'"),
        ("REASON", None, "No adapter for REASON is installed"),
        ("REASON", tmp_path / "none", "has no adapter.json"),
        ("REASON", adapters / "teacher", "made for TEACH"),
    ):
        ok, error = apply_expert_adapter(model, expert, path)
        assert (ok, reason in str(error)) == (False, True)
    assert torch.equal(logits(model), before)
    for strange in (object(), None, torch.nn.Linear(2, 2)):
        assert apply_expert_adapter(strange, "REASON")[0] is False
    model.hexcore_experts.close()


@pytest.mark.parametrize(
    ("expert", "device", "said"),
    [
        (None, None, "There is no expert 'None'"),
        ("JUDGE", None, "There is no expert 'JUDGE'"),
        ("REASON", "nowhere", "There is no device 'nowhere'"),
        ("REASON", 1.5, "There is no device 1.5"),
        ("REASON", "meta", "The model does not lie on meta"),
    ],
)
def test_an_expert_or_a_device_that_is_none_leaves_the_base_in_use(
    model: Any, adapters: Path, expert: Any, device: Any, said: str
) -> None:
    before = logits(model)
    assert apply_expert_adapter(model, "REASON", adapters / "judge") == (True, None)
    ok, error = apply_expert_adapter(model, expert, adapters / "judge", device)
    assert (ok, said in str(error)) == (False, True)
    assert torch.equal(logits(model), before)
    model.hexcore_experts.close()


def test_an_adapter_is_not_applied_to_a_model_whose_files_are_unknown(adapters: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=64, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2
    )
    ok, error = apply_expert_adapter(LlamaForCausalLM(config), "REASON", adapters / "judge")
    assert not ok
    assert "can't be told" in str(error)
