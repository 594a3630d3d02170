"""Keeping keys and values between questions, and giving the memory back, oldest first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hexcore_engine.inference.kv_cache.prefix_tree import PrefixTree
from hexcore_engine.utils.tensor import tensor_bytes

# Fewer shared tokens than this are computed anew: not worth the memory traffic.
MIN_SHARED_TOKENS = 4


@dataclass(frozen=True)
class CacheKey:
    """What keys and values depend on beside the tokens; the cache of one is never served to another.

    An activated adapter leaves the first `base_tokens` to the base: those are shared with it, and with every
    adapter that is activated later; the rest is its own.
    """

    model_hash: str
    adapter_hash: str
    template_hash: str
    base_tokens: int = 0

    @property
    def base(self) -> CacheKey:
        """The key of what the base computes alone."""
        return replace(self, adapter_hash="", base_tokens=0)


@dataclass(eq=False)
class _Entry:
    """`layers` hold the tokens from `begin` on; what comes before lies under the base's key."""

    key: CacheKey
    tokens: tuple[int, ...]
    layers: tuple[tuple[Any, Any], ...]
    begin: int = 0
    on_host: bool = False

    @property
    def num_bytes(self) -> int:
        return sum(tensor_bytes(tensor) for layer in self.layers for tensor in layer)


@dataclass(frozen=True)
class KVCacheStatistics:
    """Sizes in bytes, counts of tokens since loading."""

    num_entries: int
    device_bytes: int
    host_bytes: int
    prompt_tokens: int
    reused_tokens: int


class KVCacheManager:
    """Caches of finished prompts by `CacheKey` and tokens.

    `limit_bytes` bounds the device; what was used least recently moves to host memory (on a GPU), is bounded
    there by `host_limit_bytes`, and then goes. Layers are pairs of tensors [1, kv_heads, tokens, head_dim].
    """

    def __init__(self, limit_bytes: int, host_limit_bytes: int = 0) -> None:
        self._limit_bytes = limit_bytes
        self._host_limit_bytes = host_limit_bytes
        self._trees: dict[CacheKey, PrefixTree[_Entry]] = {}
        self._entries: OrderedDict[tuple[CacheKey, tuple[int, ...]], _Entry] = OrderedDict()
        self._prompt_tokens = 0
        self._reused_tokens = 0

    def fork(self, key: CacheKey, tokens: Sequence[int], config: Any, device: Any = None) -> Any:
        """Return a cache holding the longest kept beginning of `tokens`, at most all but the last.

        Nothing is copied: the tensors are shared, and growing a cache makes new ones.
        """
        parts = self._parts(key, tokens)
        self._prompt_tokens += len(tokens)
        if not parts:
            return _new_cache(config)
        self._reused_tokens += parts[-1][1]
        for entry, _ in parts:
            self._entries.move_to_end((entry.key, entry.tokens))
        return cache_from_layers(config, _joined([_layers(entry, end, device) for entry, end in parts]))

    def keep(self, key: CacheKey, tokens: Sequence[int], cache: Any, row: int = 0) -> None:
        """Keep a cache that begins with `tokens`, unless a longer kept sequence covers it. `row` is the place
        in the cache's batch."""
        kept = tuple(tokens[: cache.get_seq_length()])
        if key.base_tokens:
            self._put(_Entry(key.base, kept[: key.base_tokens], ()), cache, row)
        self._put(_Entry(key, kept, (), key.base_tokens), cache, row)

    def _put(self, entry: _Entry, cache: Any, row: int) -> None:
        tokens = entry.tokens
        if len(tokens) - entry.begin < MIN_SHARED_TOKENS or self._limit_bytes <= 0:
            return
        shared, found = self._find(entry.key, tokens, whole=True)
        if found is not None and shared == len(tokens):
            self._entries.move_to_end((found.key, found.tokens))
            return
        if found is not None and shared == len(found.tokens):
            self._drop(found)
        entry.layers = _part_of(cache, row, entry.begin, len(tokens))
        self._trees.setdefault(entry.key, PrefixTree()).put(tokens, entry)
        self._entries[entry.key, tokens] = entry
        self._make_room()

    def shrink(self, limit_bytes: int) -> int:
        """Drop what was used least recently until at most `limit_bytes` are held; returns the bytes freed."""
        before = self._bytes(False)
        for entry in list(self._entries.values()):
            if self._bytes(False) <= limit_bytes:
                break
            if not entry.on_host:
                self._drop(entry)
        return before - self._bytes(False)

    def clear(self) -> None:
        """Forget everything."""
        self._trees.clear()
        self._entries.clear()

    def statistics(self) -> KVCacheStatistics:
        """Return sizes and how much of the prompts was found here."""
        return KVCacheStatistics(
            len(self._entries),
            self._bytes(False),
            self._bytes(True),
            self._prompt_tokens,
            self._reused_tokens,
        )

    def _parts(self, key: CacheKey, tokens: Sequence[int]) -> list[tuple[_Entry, int]]:
        """Entries that together hold the longest kept beginning, each with the token it is used up to."""
        if not key.base_tokens:
            shared, entry = self._find(key, tokens)
            return [(entry, shared)] if entry is not None else []
        shared, base = self._find(key.base, tokens[: key.base_tokens + 1])
        if base is None:
            return []
        own, entry = self._find(key, tokens)
        if shared < key.base_tokens or entry is None or own <= shared:
            return [(base, shared)]
        return [(base, shared), (entry, own)]

    def _find(self, key: CacheKey, tokens: Sequence[int], whole: bool = False) -> tuple[int, _Entry | None]:
        tree = self._trees.get(key)
        if tree is None:
            return 0, None
        shared, entry = tree.longest(tokens)
        # The last token of a prompt is always computed: its logits begin the answer.
        shared = shared if whole else min(shared, len(tokens) - 1)
        return (shared, entry) if shared >= MIN_SHARED_TOKENS else (0, None)

    def _make_room(self) -> None:
        for entry in list(self._entries.values()):
            if self._bytes(False) <= self._limit_bytes:
                break
            if not entry.on_host:
                self._move_out(entry)
        for entry in list(self._entries.values()):
            if self._bytes(True) <= self._host_limit_bytes:
                break
            if entry.on_host:
                self._drop(entry)

    def _move_out(self, entry: _Entry) -> None:
        if entry.layers[0][0].device.type == "cpu" or self._host_limit_bytes <= 0:
            self._drop(entry)
            return
        entry.layers = tuple((k.cpu().pin_memory(), v.cpu().pin_memory()) for k, v in entry.layers)
        entry.on_host = True

    def _drop(self, entry: _Entry) -> None:
        self._entries.pop((entry.key, entry.tokens), None)
        tree = self._trees.get(entry.key)
        if tree is not None:
            tree.remove(entry.tokens)

    def _bytes(self, on_host: bool) -> int:
        # Memory is sampled on another thread, while an answer moves entries.
        return sum(entry.num_bytes for entry in list(self._entries.values()) if entry.on_host == on_host)


def cache_from_layers(config: Any, layers: tuple[tuple[Any, Any], ...]) -> Any:
    """Return a transformers cache over existing tensors, without copying them."""
    cache = _new_cache(config)
    for layer, (keys, values) in zip(cache.layers, layers, strict=True):
        layer.lazy_initialization(keys, values)
        layer.keys, layer.values = keys, values
    return cache


def _layers(entry: _Entry, end: int, device: Any) -> tuple[tuple[Any, Any], ...]:
    length = end - entry.begin
    layers = ((k[..., :length, :], v[..., :length, :]) for k, v in entry.layers)
    if entry.on_host and device is not None:
        layers = ((k.to(device), v.to(device)) for k, v in layers)
    return tuple(layers)


def _joined(parts: list[tuple[tuple[Any, Any], ...]]) -> tuple[tuple[Any, Any], ...]:
    if len(parts) == 1:
        return parts[0]
    import torch

    return tuple(
        (torch.cat([k for k, _ in layer], dim=-2), torch.cat([v for _, v in layer], dim=-2))
        for layer in zip(*parts, strict=True)
    )


def _part_of(cache: Any, row: int, begin: int, end: int) -> tuple[tuple[Any, Any], ...]:
    """Tokens of one row; copied where a view would hold much more memory than it shows."""

    def part(tensor: Any) -> Any:
        view = tensor[row : row + 1, :, begin:end, :]
        return view.clone() if begin or tensor.shape[0] > 1 else view

    return tuple((part(layer.keys), part(layer.values)) for layer in cache.layers)


def stacked_cache(caches: Sequence[Any], config: Any) -> Any:
    """Return the caches of several rows as one batch, as long as the shortest of them."""
    num_tokens = min(int(cache.get_seq_length()) for cache in caches)
    if not num_tokens:
        return _new_cache(config)
    import torch

    rows = [_part_of(cache, 0, 0, num_tokens) for cache in caches]
    layers = (
        (torch.cat([k for k, _ in layer]), torch.cat([v for _, v in layer]))
        for layer in zip(*rows, strict=True)
    )
    return cache_from_layers(config, tuple(layers))


def cropped_cache(cache: Any, config: Any, num_tokens: int) -> Any:
    """Return a cache of the first `num_tokens` of each layer; layers may hold unequal numbers of them."""
    if not num_tokens:
        return _new_cache(config)
    layers = ((layer.keys[..., :num_tokens, :], layer.values[..., :num_tokens, :]) for layer in cache.layers)
    return cache_from_layers(config, tuple(layers))


def _new_cache(config: Any) -> Any:
    from transformers import DynamicCache

    return DynamicCache(config=config)
