"""Text of tokens as they come: whole letters alone, and nothing of a stop string."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from hexcore_engine.inference.decoders.base import DecodedText


class TokenText:
    """Text of tokens as it becomes whole: a letter may span several, a stop string too."""

    def __init__(self, tokenizer: Any, stops: tuple[str, ...]) -> None:
        self._tokenizer = tokenizer
        self._stops = stops
        self._hold = max((len(stop) for stop in stops), default=1) - 1
        self._tokens: list[int] = []
        self._shown = ""
        self._num_pending = 0

    def add(self, token: int) -> tuple[DecodedText | None, bool]:
        """Return the text that is certain now, and whether a stop string was written."""
        self._tokens.append(token)
        self._num_pending += 1
        whole = self._whole()
        for stop in self._stops:
            place = whole.find(stop)
            if place >= 0:
                return self._piece(whole[:place]), True
        if whole.endswith("\ufffd"):
            return None, False
        return self._piece(whole[: len(whole) - self._hold] if self._hold else whole), False

    def rest(self) -> Generator[DecodedText, None, None]:
        """Yield what was held back."""
        piece = self._piece(self._whole().rstrip("\ufffd"), final=True)
        if piece is not None:
            yield piece

    def _whole(self) -> str:
        return str(
            self._tokenizer.decode(self._tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )

    def _piece(self, certain: str, final: bool = False) -> DecodedText | None:
        new = certain[len(self._shown) :]
        if not new or (final and any(stop in certain for stop in self._stops)):
            return None
        self._shown = certain
        num_tokens, self._num_pending = self._num_pending, 0
        return DecodedText(new, num_tokens)
