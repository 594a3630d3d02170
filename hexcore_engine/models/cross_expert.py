"""Mixing experts: the next-token distributions of several adapters as one, weighed by a gate or the router.

The mixture is log-linear: p is in proportion to the product of each expert's p_i to the power of its weight.
Computed on logits, of which log p_i differs by a constant only, so that all weight on one expert gives that
expert's logits bit for bit. The gate is linear in the base model's last hidden state and adds to the log-odds
of the router's prior: at zero it is the prior exactly.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hexcore_engine.errors import ExpertAdapterError
from hexcore_engine.models.safetensors_file import DamagedFileError, is_finite, read_header
from hexcore_engine.protocol.records import MODE_NAMES, ModeName
from hexcore_engine.utils.validation import clean_line

GATE_NAME = "cross_expert.safetensors"
CARD_NAME = "cross_expert.json"


class GateScores(msgspec.Struct, frozen=True):
    """Held-out loss in nats a token: of the gated mixture, the best single expert, and equal weights."""

    gate: float
    best_single: float
    uniform: float


class GateCard(msgspec.Struct, frozen=True):
    """The run card beside a gate: what it was trained for and how it did on `num_tokens` held-out tokens.
    `adapters` holds the sha256 of each expert's weights; row i of the gate belongs to `modes[i]`."""

    base_model_hash: str
    sha256: str
    modes: tuple[ModeName, ...]
    adapters: dict[ModeName, str]
    num_tokens: int
    nats_per_token: GateScores


class CrossExpertAttention:
    """Weighs experts and mixes their logits.

    `weight` [modes, hidden] and `bias` [modes] are the gate's; without them the prior alone weighs.
    """

    def __init__(self, modes: Sequence[ModeName] = MODE_NAMES, weight: Any = None, bias: Any = None) -> None:
        self._places = {mode: place for place, mode in enumerate(modes)}
        self._weight = weight
        self._bias = bias

    @property
    def is_gated(self) -> bool:
        """Whether a gate takes part, so that the base's hidden state is needed."""
        return self._weight is not None

    def weights(self, modes: Sequence[ModeName], prior: Sequence[float], hidden: Any = None) -> Any:
        """Return the experts' weights [tokens, experts], each row summing to 1.

        `prior` is the router's probability of each; `hidden` [tokens, hidden] the base's last hidden state,
        needed by a gate alone.
        """
        import torch

        given = torch.tensor(list(prior), dtype=torch.float32).clamp(min=0)
        given = given / given.sum()
        if self._weight is None or hidden is None:
            return given.unsqueeze(0)
        places = [self._places[mode] for mode in modes]
        hidden = hidden.float()
        gate = hidden @ self._weight[places].to(hidden).T + self._bias[places].to(hidden)
        odds = given.to(gate.device) * (gate - gate.amax(-1, keepdim=True)).exp()
        total = odds.sum(-1, keepdim=True)
        # Equal gates change nothing; dividing by a sum that is nearly 1 would.
        equal = (gate == gate[:, :1]).all(-1, keepdim=True)
        return torch.where(equal, given.to(gate.device), odds / total)

    def mix(self, modes: Sequence[ModeName], prior: Sequence[float], logits: Any, hidden: Any = None) -> Any:
        """Return the mixture's logits [tokens, vocabulary] of the experts' [experts, tokens, vocabulary]."""
        weights = self.weights(modes, prior, hidden).to(logits.device)
        shares = weights.T.unsqueeze(-1)
        # An expert without weight has no say, not even by an infinite logit.
        return (logits.float() * shares).masked_fill(shares == 0, 0.0).sum(0)


def load_gate(folder: Path, base_hash: str, adapters: Mapping[ModeName, str]) -> CrossExpertAttention | None:
    """Return the gate that lies in `folder`, None where there is none.

    `adapters` holds the sha256 of the weights of each expert that is to be mixed.

    Raises:
        ExpertAdapterError: for a gate without a run card, made for other weights, or that did not beat the
            best single expert and the uniform mix.
    """
    file = folder / GATE_NAME
    if not file.is_file():
        return None
    card = _read_card(folder / CARD_NAME)
    if card.base_model_hash != base_hash:
        raise _refused("it was trained for another base model")
    changed = next((mode for mode, sha256 in adapters.items() if card.adapters.get(mode) != sha256), None)
    if changed is not None:
        raise _refused(f"it was trained with another adapter for {changed}, or with none")
    _check_scores(card)
    return _load(file, card)


def _read_card(file: Path) -> GateCard:
    try:
        return msgspec.json.decode(file.read_bytes(), type=GateCard)
    except FileNotFoundError:
        raise _refused(f"no run card ({CARD_NAME}) shows what it is worth") from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refused(f"its run card is unusable: {clean_line(str(error))}") from error


def _check_scores(card: GateCard) -> None:
    scores = card.nats_per_token
    values = (scores.gate, scores.best_single, scores.uniform)
    if card.num_tokens < 1 or not all(math.isfinite(value) and value > 0 for value in values):
        raise _refused("its run card shows no held-out measurement")
    for name, other in (("the best single expert", scores.best_single), ("the uniform mix", scores.uniform)):
        if scores.gate >= other:
            raise _refused(
                f"by its run card it does not beat {name} ({scores.gate:.4f} against {other:.4f} nats)"
            )


def _load(file: Path, card: GateCard) -> CrossExpertAttention:
    from safetensors.torch import load

    try:
        entries = read_header(file)
        finite = all(is_finite(file, entry) for entry in entries.values())
        content = file.read_bytes()
        if hashlib.sha256(content).hexdigest() != card.sha256.lower():
            raise _refused("its weights are not those of its run card (sha256 differs)")
        tensors = load(content)
        weight, bias = tensors["weight"].float(), tensors["bias"].float()
    except (OSError, DamagedFileError, KeyError) as error:
        raise _refused("its weights are missing, cut short or damaged") from error
    if not finite or weight.ndim != 2 or weight.shape[0] != len(card.modes) or bias.shape != weight.shape[:1]:
        raise _refused("its weights are not finite, or not of the shape its run card says")
    return CrossExpertAttention(card.modes, weight, bias)


def _refused(why: str) -> ExpertAdapterError:
    return ExpertAdapterError(
        f"The gate that mixes experts can't be used: {why}.",
        f"Remove {GATE_NAME} from the adapters' folder or train it anew; until then the prior weighs.",
    )
