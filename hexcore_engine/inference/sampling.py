"""Choosing the next token from logits: penalties, citation mask, temperature, top-p, min-p, a seed."""

from __future__ import annotations

from typing import Any

from hexcore_engine.errors import DecoderError
from hexcore_engine.inference.citation_mask import CitationMask
from hexcore_engine.inference.decoders.base import DecodeRequest
from hexcore_engine.utils.tensor import is_choosable


class Sampler:
    """Draws the tokens of one answer; equal seeds and logits give equal tokens.

    `prompt` are the token ids before the answer: those and the ones drawn since are penalised.
    """

    def __init__(self, request: DecodeRequest, prompt: list[int], mask: CitationMask | None) -> None:
        import torch

        self._torch = torch
        self._request = request
        self._mask = mask
        self._generator = torch.Generator().manual_seed(request.seed)
        self._seen = set(prompt[-_PENALTY_WINDOW:]) if request.repetition_penalty != 1.0 else set()

    def draw(self, logits: Any) -> int:
        """Return the next token id for logits of shape [vocabulary].

        Raises:
            DecoderError: when the logits are not finite.
        """
        logits = logits.float()
        if not is_choosable(logits):
            raise DecoderError(
                "The model gave numbers that are none (its weights or an adapter may be damaged).",
                "Choose another quantisation or model; `hexcore doctor` checks the files.",
            )
        logits = self._penalised(logits)
        if self._mask is not None:
            logits = self._mask.apply(logits)
        token = self._pick(logits)
        if self._request.repetition_penalty != 1.0:
            self._seen.add(token)
        if self._mask is not None:
            self._mask.advance(token)
        return token

    def _penalised(self, logits: Any) -> Any:
        if not self._seen:
            return logits
        places = self._torch.tensor(sorted(self._seen), device=logits.device)
        values = logits[places]
        penalty = self._request.repetition_penalty
        logits = logits.clone()
        logits[places] = self._torch.where(values > 0, values / penalty, values * penalty)
        return logits

    def _pick(self, logits: Any) -> int:
        request = self._request
        if request.temperature <= 0:
            return int(logits.argmax())
        chances = (logits / request.temperature).softmax(-1).cpu()
        if request.min_p > 0:
            chances = chances.where(chances >= request.min_p * chances.max(), self._torch.zeros(()))
        if request.top_p < 1:
            ordered, places = chances.sort(descending=True)
            beyond = ordered.cumsum(-1) - ordered >= request.top_p * ordered.sum()
            chances[places[beyond]] = 0
        return int(self._torch.multinomial(chances, 1, generator=self._generator))


_PENALTY_WINDOW = 64
