"""A decoder without a model: a deterministic answer at a settable pace, for the demo and the tests."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections import deque
from collections.abc import Generator

from hexcore_engine.errors import DecoderError
from hexcore_engine.inference.decoders.base import (
    ChatMessage,
    DecodedText,
    DecodeFinished,
    DecodeRequest,
    DecoderMemory,
    StopSignal,
)
from hexcore_engine.models.catalog import SCRIPTED_MODEL
from hexcore_engine.protocol.records import CacheStats, ModelRecord

DEFAULT_TOKENS_PER_S = 40.0
# An engine that answers by script for days must not keep every prompt.
KEPT_REQUESTS = 16


class ScriptedDecoder:
    """Writes `text`, or sentences that cite the rules it was given, one word at a time.

    `tokens_per_s` 0 writes without a pause. With `fail_after` it raises `DecoderError` after that many
    tokens. The environment's HEXCORE_SCRIPTED_TEXT, HEXCORE_SCRIPTED_RATE and HEXCORE_SCRIPTED_FAIL_AFTER
    set the defaults, so that an engine process can be scripted too.
    """

    warmed: DecodeFinished | None = None

    def __init__(
        self, text: str | None = None, tokens_per_s: float | None = None, fail_after: int | None = None
    ) -> None:
        self._text = text if text is not None else os.environ.get("HEXCORE_SCRIPTED_TEXT")
        rate = os.environ.get("HEXCORE_SCRIPTED_RATE", "")
        self._tokens_per_s = tokens_per_s if tokens_per_s is not None else float(rate or DEFAULT_TOKENS_PER_S)
        limit = os.environ.get("HEXCORE_SCRIPTED_FAIL_AFTER", "")
        self._fail_after = fail_after if fail_after is not None else (int(limit) if limit else None)
        self.requests: deque[DecodeRequest] = deque(maxlen=KEPT_REQUESTS)
        self._seen_prompt: tuple[ChatMessage, ...] = ()
        self._prompt_tokens = 0
        self._cached_tokens = 0

    @property
    def model(self) -> ModelRecord:
        """The scripted model's record."""
        return SCRIPTED_MODEL

    @property
    def context_tokens(self) -> int:
        """Words that prompt and answer may hold together."""
        return SCRIPTED_MODEL.context_tokens or 0

    def count_tokens(self, messages: tuple[ChatMessage, ...]) -> int:
        """Count words."""
        return sum(len(message.content.split()) for message in messages)

    def generate(
        self, request: DecodeRequest, stop: StopSignal
    ) -> Generator[DecodedText | DecodeFinished, None, None]:
        """Write the script; see the contract in base.py."""
        self.requests.append(request)
        prompt_tokens = self.count_tokens(request.messages)
        pairs = zip(self._seen_prompt, request.messages, strict=False)
        shared = itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
        cached = self.count_tokens(tuple(message for message, _ in shared))
        self._seen_prompt = request.messages
        self._prompt_tokens += prompt_tokens
        self._cached_tokens += cached
        pieces = re.findall(r"\s*\S+\s*", self._script(request))
        written = 0
        reason = "end"
        for piece in pieces:
            if stop.is_set():
                reason = "stopped"
                break
            if written >= request.max_tokens:
                reason = "length"
                break
            if self._fail_after is not None and written >= self._fail_after:
                raise DecoderError("The scripted model was told to fail here.", "Ask again.")
            self._pause(stop)
            yield DecodedText(piece)
            written += 1
        yield DecodeFinished(
            stop_reason="stopped" if reason == "stopped" else "length" if reason == "length" else "end",
            prompt_tokens=prompt_tokens,
            cached_tokens=cached,
            generated_tokens=written,
            tokens_per_s=self._tokens_per_s or None,
        )

    def memory(self) -> DecoderMemory:
        """Nothing is held."""
        return DecoderMemory(0, 0, 0, "computed", (os.getpid(),))

    def cache_stats(self) -> CacheStats:
        """Words whose prompt was the same as before."""
        return CacheStats(self._prompt_tokens, self._cached_tokens)

    def is_usable(self) -> bool:
        """Nothing can end."""
        return True

    def close(self) -> None:
        """Nothing to give back."""

    def _script(self, request: DecodeRequest) -> str:
        if self._text is not None:
            return self._text
        rules = request.citable_rules or ()
        if not rules:
            return "Nothing among the rules at hand decides this. Name the card or the rule you mean."
        cited = " ".join(
            f"Read [{rule}] together with the cards named in the question." for rule in rules[1:3]
        )
        return (
            f"The rule that decides this is [{rules[0]}]; the evidence above shows its words. {cited} "
            "Play it as those words say, one step after the other."
        )

    def _pause(self, stop: StopSignal) -> None:
        if self._tokens_per_s <= 0:
            return
        until = time.monotonic() + 1 / self._tokens_per_s
        while not stop.is_set() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.02))
