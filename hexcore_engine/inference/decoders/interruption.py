"""Ending a forward between two layers: a chunk of a prompt may take long, a layer of it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class ForwardInterrupted(Exception):
    """Raised inside a forward that is no longer wanted; the cache's layers are left unequal."""


class InterruptibleLayers:
    """Looks before each layer of a model whether the forward is still wanted."""

    def __init__(self, model: Any) -> None:
        self._is_over: Callable[[], bool] | None = None
        layers = getattr(model.get_decoder(), "layers", ())
        self._hooks = [layer.register_forward_pre_hook(self._look) for layer in layers]

    @contextmanager
    def until(self, is_over: Callable[[], bool]) -> Iterator[None]:
        """Let forwards inside end with `ForwardInterrupted` once `is_over` says so."""
        self._is_over = is_over
        try:
            yield
        finally:
            self._is_over = None

    def close(self) -> None:
        """Leave the model as it was."""
        for hook in self._hooks:
            hook.remove()

    def _look(self, layer: Any, inputs: Any) -> None:
        if self._is_over is not None and self._is_over():
            raise ForwardInterrupted
