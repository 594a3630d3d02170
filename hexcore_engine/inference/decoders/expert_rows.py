"""One batch that writes one answer: a row for each adapter, the same tokens in all, logits as one.

What an activated adapter leaves to the base is computed once, in one row, and spread when the first adapter
begins to act.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hexcore_engine.inference.decoders.writers import Writers
from hexcore_engine.inference.kv_cache.manager import CacheKey, KVCacheManager, cropped_cache, stacked_cache
from hexcore_engine.models.adapters import ExpertAdapterManager


class ExpertRows:
    """Keys and values of an answer in the making, and the forwards that grow them.

    `key` is that of the base; `prompt` decides what is found computed.
    """

    def __init__(
        self,
        manager: ExpertAdapterManager,
        kept: KVCacheManager,
        writers: Writers,
        key: CacheKey,
        prompt: Sequence[int],
    ) -> None:
        self._manager = manager
        self._kept = kept
        self._writers = writers
        self._keys = [
            _key_of(key, adapter, begin)
            for adapter, begin in zip(writers.adapters, writers.begins, strict=True)
        ]
        self._base_key = key
        self._num_shared = min(writers.begins) if len(writers.adapters) > 1 else 0
        self.cache: Any = self._found(prompt)
        self._spread()

    @property
    def num_rows(self) -> int:
        """Rows of the batch that writes."""
        return len(self._writers.adapters)

    @property
    def num_tokens(self) -> int:
        """Tokens computed."""
        return int(self.cache.get_seq_length())

    @property
    def notes(self) -> tuple[str, ...]:
        """Who writes, in words."""
        return self._writers.notes

    def forward(self, tokens: list[int], num_logits: int) -> Any:
        """Compute `tokens` and return logits [num_logits, vocabulary] of the last ones; None where all of
        them belong to what the rows share."""
        left = self._num_shared - self.num_tokens
        if self.num_rows > 1 and left > 0:
            self._run((None,), (0,), tokens[:left], 1)
            self._spread()
            tokens = tokens[left:]
            if not tokens:
                return None
        output = self._run(self._writers.adapters, self._active_in(len(tokens)), tokens, num_logits)
        mixer = self._writers.mixer
        if mixer is None:
            return output.logits[0]
        num_experts = len(self._writers.weights)
        hidden = output.hidden_states[-1][-1, -num_logits:] if mixer.is_gated else None
        return mixer.mix(self._writers.modes, self._writers.weights, output.logits[:num_experts], hidden)

    def crop(self, num_tokens: int) -> None:
        """Forget what was computed beyond the first `num_tokens`."""
        surplus = self.num_tokens - num_tokens
        if surplus > 0:
            self.cache.crop(-surplus)

    def repair(self, num_tokens: int) -> None:
        """Make the layers equal again after a forward that failed: the first `num_tokens` of each."""
        self.cache = cropped_cache(self.cache, self._manager.model.config, num_tokens)
        if self._num_shared and num_tokens <= self._num_shared:
            # It may have failed while the one row was spread.
            for layer in self.cache.layers:
                layer.keys, layer.values = layer.keys[:1], layer.values[:1]
            self._spread()

    def keep(self, tokens: list[int]) -> None:
        """Keep what was computed of `tokens` for later prompts."""
        is_spread = self.num_tokens >= self._num_shared
        for row, key in enumerate(self._keys if is_spread else [self._base_key]):
            self._kept.keep(key, tokens, self.cache, row)

    def _found(self, prompt: Sequence[int]) -> Any:
        config, device = self._manager.model.config, self._manager.model.device
        if self._num_shared:
            # One token more, since the last of a prompt is never taken from what is kept.
            return self._kept.fork(self._base_key, prompt[: self._num_shared + 1], config, device)
        found = [self._kept.fork(key, prompt, config, device) for key in self._keys]
        return found[0] if len(found) == 1 else stacked_cache(found, config)

    def _spread(self) -> None:
        if self._num_shared and self.num_tokens == self._num_shared:
            self.cache.batch_repeat_interleave(self.num_rows)

    def _active_in(self, num_tokens: int) -> tuple[int, ...]:
        """On how many of the next `num_tokens` each row's adapter acts."""
        end = self.num_tokens + num_tokens
        return tuple(min(num_tokens, max(0, end - begin)) for begin in self._writers.begins)

    def _run(self, rows: Any, active: Sequence[int], tokens: list[int], num_logits: int) -> Any:
        import torch

        mixer = self._writers.mixer
        with torch.inference_mode():
            ids = torch.tensor([tokens] * len(rows), device=self._manager.model.device)
            return self._manager.run(
                rows,
                active,
                input_ids=ids,
                past_key_values=self.cache,
                use_cache=True,
                logits_to_keep=num_logits,
                **({"output_hidden_states": True} if mixer is not None and mixer.is_gated else {}),
            )


def _key_of(base: CacheKey, adapter: Any, begin: int) -> CacheKey:
    if adapter is None:
        return base
    shared = begin if adapter.manifest.kind == "alora" else 0
    return replace(base, adapter_hash=adapter.manifest.sha256, base_tokens=shared)
