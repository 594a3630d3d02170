"""How much of a model's weights transformers has read, in bytes of their files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hexcore_engine.models.load_times import LoadWatch
from hexcore_engine.models.safetensors_file import DamagedFileError, read_header

STAGE = "reading the weights"
# What transformers calls the bar whose steps are the weights (5.20 to 5.23).
_BAR = "Loading weights"


@contextlib.contextmanager
def weights_read(shards: Sequence[Path], watch: LoadWatch | None) -> Iterator[None]:
    """Tell `watch` the share of bytes read while transformers loads weights in this block."""
    from transformers.utils import logging

    set_hook: Callable[[Any], Any] | None = getattr(logging, "set_tqdm_hook", None)
    if watch is None:
        yield
        return
    watch.begin(STAGE)
    if set_hook is None:
        yield
        return
    sizes = _sizes(shards)

    def bar(factory: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if options.get("desc") == _BAR and arguments:
            return _counted(list(arguments[0]), sizes, watch)
        return factory(*arguments, **options)

    before = set_hook(bar)
    try:
        yield
    finally:
        set_hook(before)


def _counted(items: list[tuple[str, Any]], sizes: dict[str, int], watch: LoadWatch) -> Iterator[Any]:
    """Yield the weights to read; one that is put together from several of the file takes its part of what
    no other one accounts for."""
    known = sum(sizes.get(name, 0) for name, _ in items)
    total = max(1, sum(sizes.values()))
    num_unknown = sum(name not in sizes for name, _ in items)
    rest = (total - known) / num_unknown if num_unknown else 0.0
    read = 0.0
    for item in items:
        yield item
        read += sizes.get(item[0], rest)
        watch.reached(read / total)


def _sizes(shards: Sequence[Path]) -> dict[str, int]:
    """Bytes of each tensor; a damaged file is told by whoever reads its weights."""
    sizes: dict[str, int] = {}
    for shard in shards:
        with contextlib.suppress(DamagedFileError, OSError):
            sizes |= {name: entry.end - entry.begin for name, entry in read_header(shard).items()}
    return sizes
