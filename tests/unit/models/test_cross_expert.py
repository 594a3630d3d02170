from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy
import pytest

from hexcore_engine.errors import ExpertAdapterError
from hexcore_engine.protocol.records import ModeName
from tests.unit.small_adapters import write_safetensors

torch = pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = pytest.mark.slow

from hexcore_engine.models.cross_expert import (  # noqa: E402
    CARD_NAME,
    GATE_NAME,
    CrossExpertAttention,
    load_gate,
)

MODES: tuple[ModeName, ...] = ("REASON", "EXPLAIN", "TEACH")
PRIOR = (0.5, 0.3, 0.2)
HIDDEN = torch.linspace(-2, 2, 4 * 8).reshape(4, 8)
LOGITS = torch.randn(3, 4, 50, generator=torch.Generator().manual_seed(1)) * 5
BASE = "b" * 64
ADAPTERS: dict[ModeName, str] = {"REASON": "1" * 64, "TEACH": "2" * 64}


def gate(size: float = 0.0, bias: float = 0.0) -> CrossExpertAttention:
    weight = torch.randn(3, 8, generator=torch.Generator().manual_seed(2)) * size
    return CrossExpertAttention(MODES, weight, torch.full((3,), bias))


def test_a_zero_gate_is_the_prior_exactly() -> None:
    prior = CrossExpertAttention().weights(MODES, PRIOR)
    assert torch.equal(gate().weights(MODES, PRIOR, HIDDEN), prior.expand(4, 3))
    alone = CrossExpertAttention().mix(MODES, PRIOR, LOGITS)
    assert torch.equal(gate().mix(MODES, PRIOR, LOGITS, HIDDEN), alone)
    assert torch.equal(gate(bias=3.0).mix(MODES, PRIOR, LOGITS, HIDDEN), alone)


def test_all_weight_on_one_gives_its_logits_bit_for_bit() -> None:
    others = LOGITS.clone()
    others[1, :, ::3] = float("-inf")
    assert torch.equal(CrossExpertAttention().mix(MODES, (1.0, 0.0, 0.0), others), LOGITS[0])
    assert torch.equal(gate(1.0).mix(MODES, (0.0, 0.0, 7.0), others, HIDDEN), LOGITS[2])


def test_the_mixture_is_the_normalised_product_of_powers() -> None:
    mixed = CrossExpertAttention().mix(MODES, PRIOR, LOGITS).softmax(-1)
    product = torch.ones(4, 50, dtype=torch.float64)
    for logits, weight in zip(LOGITS.double(), PRIOR, strict=True):
        product *= logits.softmax(-1) ** weight
    expected = product / product.sum(-1, keepdim=True)
    assert torch.allclose(mixed.double(), expected, atol=1e-6)


def test_a_gate_moves_the_log_odds_by_what_it_reads() -> None:
    trained = gate(1.0)
    weights = trained.weights(("TEACH", "REASON"), (0.4, 0.6), HIDDEN)
    assert torch.allclose(weights.sum(-1), torch.ones(4))
    read = HIDDEN @ trained._weight.T
    odds = (weights[:, 0] / weights[:, 1]).log()
    assert torch.allclose(odds, torch.tensor(0.4 / 0.6).log() + read[:, 2] - read[:, 0], atol=1e-4)


def write_gate(folder: Path, weight: Any = None, **changes: Any) -> Path:
    weight = numpy.ones((3, 8)) if weight is None else weight
    write_safetensors(folder / GATE_NAME, {"weight": weight, "bias": numpy.zeros(3)})
    card = {
        "base_model_hash": BASE,
        "sha256": hashlib.sha256((folder / GATE_NAME).read_bytes()).hexdigest(),
        "modes": MODES,
        "adapters": ADAPTERS,
        "num_tokens": 5000,
        "nats_per_token": {"gate": 1.9, "best_single": 2.0, "uniform": 2.1},
    }
    (folder / CARD_NAME).write_text(json.dumps(card | changes))
    return folder


def test_a_gate_that_won_is_taken(tmp_path: Path) -> None:
    found = load_gate(write_gate(tmp_path), BASE, ADAPTERS)
    assert found is not None
    assert found.is_gated
    assert found.weights(("TEACH", "REASON"), (0.5, 0.5), HIDDEN).shape == (4, 2)


def test_no_gate_is_no_error(tmp_path: Path) -> None:
    assert load_gate(tmp_path, BASE, ADAPTERS) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"base_model_hash": "c" * 64}, "another base model"),
        ({"adapters": {"REASON": "1" * 64}}, "another adapter for TEACH, or with none"),
        ({"adapters": ADAPTERS | {"REASON": "9" * 64}}, "another adapter for REASON"),
        ({"sha256": "0" * 64}, "sha256 differs"),
        ({"nats_per_token": {"gate": 2.0, "best_single": 2.0, "uniform": 2.1}}, "best single expert"),
        ({"nats_per_token": {"gate": 1.9, "best_single": 2.0, "uniform": 1.8}}, "the uniform mix"),
        ({"nats_per_token": {"gate": 0.0, "best_single": 2.0, "uniform": 2.1}}, "no held-out"),
        ({"num_tokens": 0}, "no held-out"),
        ({"nats_per_token": {"gate": 1.0}}, "run card is unusable"),
        ({"modes": ["REASON", "TEACH"]}, "not of the shape"),
        ({"weight": numpy.full((3, 8), numpy.nan)}, "not finite"),
    ],
)
def test_an_untrained_or_strange_gate_is_refused_with_the_reason(
    changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    write_gate(tmp_path, **changes)
    with pytest.raises(ExpertAdapterError, match=reason):
        load_gate(tmp_path, BASE, ADAPTERS)


def test_a_gate_without_run_card_or_cut_short_is_refused(tmp_path: Path) -> None:
    write_gate(tmp_path)
    (tmp_path / GATE_NAME).write_bytes((tmp_path / GATE_NAME).read_bytes()[:-4])
    with pytest.raises(ExpertAdapterError, match="cut short"):
        load_gate(tmp_path, BASE, ADAPTERS)
    (tmp_path / CARD_NAME).unlink()
    with pytest.raises(ExpertAdapterError, match="no run card"):
        load_gate(tmp_path, BASE, ADAPTERS)
