"""A torch decoder that compares each row of logits it draws from with a plain forward of the same tokens."""

from __future__ import annotations

from typing import Any

from hexcore_engine.inference.decoders.base import ChatMessage, DecodedText, DecodeRequest, StopSignal
from hexcore_engine.inference.decoders.generation import Generation
from hexcore_engine.inference.decoders.torch_decoder import TorchDecoder
from hexcore_engine.models.loader import LoadedTorchModel


class ComparedDecoder(TorchDecoder):
    """After `write`: the tokens drawn, how many rows were compared, how many of them were drafted, and the
    largest difference of any logit."""

    def __init__(self, loaded: LoadedTorchModel, **options: Any) -> None:
        given = {"context_tokens": 512, "threads": 1, "prompt_cache_mb": 16, "drafting": False} | options
        super().__init__(loaded, **given)
        self.tokens: list[int] = []
        self.compared = 0
        self.drafted = 0
        self.difference = 0.0
        self.written: list[int] = []

    def write(self, messages: tuple[ChatMessage, ...], max_tokens: int, **options: Any) -> str:
        """Write an answer, every row compared."""
        self.tokens, self.compared, self.drafted, self.difference = self._encode(messages), 0, 0, 0.0
        items = self.generate(DecodeRequest(messages, max_tokens, **options), StopSignal())
        return "".join(item.text for item in items if isinstance(item, DecodedText))

    def _begin(self, request: DecodeRequest) -> Generation:
        progress = super()._begin(request)
        self.written = progress.written
        return progress

    def _forward(self, tokens: list[int], batch: Any, num_logits: int) -> Any:
        import torch

        self.tokens[batch.num_tokens :] = [
            *tokens,
            *self.tokens[batch.num_tokens + len(tokens) :],
        ]
        rows = super()._forward(tokens, batch, num_logits)
        known = self.tokens[: batch.num_tokens]
        with torch.inference_mode():
            plain = self.torch_model(input_ids=torch.tensor([known])).logits[0, -num_logits:]
        self.difference = max(self.difference, float((rows - plain).abs().max()))
        self.compared += num_logits
        self.drafted += num_logits - 1
        return rows
