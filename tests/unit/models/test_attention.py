"""Attention by heads against transformers' own, in fp32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = pytest.mark.slow

from transformers import AutoModelForCausalLM, DynamicCache, StaticCache  # noqa: E402

from hexcore_engine.models import attention  # noqa: E402
from hexcore_engine.models.loader import load_torch_model  # noqa: E402
from tests.unit.tiny_models import make_llama, make_mixtral  # noqa: E402

TOLERANCE = 1e-4


@pytest.fixture(scope="module", params=[make_llama, make_mixtral])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """One model as it is loaded here and as transformers loads it."""
    folder: Path = request.param(tmp_path_factory.mktemp("models") / "m")
    ours = load_torch_model(folder, "none", device_map="cpu", dtype=torch.float32).model
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    assert ours.config._attn_implementation == attention.NAME
    assert theirs.config._attn_implementation == "sdpa"
    return ours, theirs


def tokens(num_rows: int, length: int) -> Any:
    return torch.randint(3, 300, (num_rows, length), generator=torch.Generator().manual_seed(1))


def forward(model: Any, **inputs: Any) -> Any:
    with torch.inference_mode():
        return model(**inputs).logits


@pytest.mark.parametrize("num_rows", [1, 3])
def test_chunks_after_a_kept_beginning_are_those_of_torchs_kernel(
    pair: tuple[Any, Any], num_rows: int
) -> None:
    ids = tokens(num_rows, 60)
    whole = forward(pair[1], input_ids=ids)
    cache = DynamicCache(config=pair[0].config)
    begin = 0
    for end in (25, 26, 33, 60):
        rows = forward(pair[0], input_ids=ids[:, begin:end], past_key_values=cache, use_cache=True)
        torch.testing.assert_close(rows, whole[:, begin:end], atol=TOLERANCE, rtol=0)
        begin = end


def test_padded_rows_are_masked_as_ever(pair: tuple[Any, Any]) -> None:
    ids = tokens(2, 20)
    padding = torch.ones_like(ids)
    padding[1, :7] = 0
    ours, theirs = (forward(model, input_ids=ids, attention_mask=padding) for model in pair)
    torch.testing.assert_close(ours[padding.bool()], theirs[padding.bool()], atol=TOLERANCE, rtol=0)


def test_transformers_own_generate_writes_the_same_with_either_cache(pair: tuple[Any, Any]) -> None:
    ids = tokens(1, 30)
    options = {"max_new_tokens": 12, "do_sample": False, "eos_token_id": None}
    expected = pair[1].generate(ids, **options).tolist()
    assert pair[0].generate(ids, **options).tolist() == expected
    static = StaticCache(config=pair[0].config, max_cache_len=64)
    assert pair[0].generate(ids, past_key_values=static, **options).tolist() == expected
