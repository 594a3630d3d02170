"""Garbage is looked for between keys, not while one is answered."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from hexcore_tui import collector


class Ring:
    """Unreachable once it is let go, and found by a search alone."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def old_ring() -> Iterator[weakref.ref[Ring]]:
    """A ring that survived a first search, then was let go; only a search of the middle kind finds it."""
    before = gc.get_threshold()
    gc.collect()
    gc.set_threshold(10**6, 10**6, 10**6)
    ring = Ring()
    gc.collect(0)
    known = weakref.ref(ring)
    del ring
    yield known
    gc.set_threshold(*before)


async def _is_gone(ring: weakref.ref[Ring]) -> None:
    async with asyncio.timeout(10):
        while ring() is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_a_pause_between_keys_is_used(
    old_ring: weakref.ref[Ring], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "YOUNG", 0)
    pauses = collector.Pauses()
    for _ in range(20):
        pauses.key_came()
        await asyncio.sleep(0)
    assert old_ring() is not None
    await _is_gone(old_ring)
    pauses.close()


async def test_a_long_pause_is_used_for_what_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "OLD", 0)
    monkeypatch.setattr(collector, "LONG_PAUSE_S", 0.05)
    ring = Ring()
    gc.collect(1)
    gc.collect(1)
    old = weakref.ref(ring)
    del ring
    gc.collect(1)
    assert old() is not None
    pauses = collector.Pauses()
    pauses.key_came()
    await _is_gone(old)
    pauses.close()


async def test_nothing_is_searched_while_searches_are_postponed(monkeypatch: pytest.MonkeyPatch) -> None:
    gc.disable()
    try:
        pauses = collector.Pauses()
        pauses.key_came()
        assert pauses._next is None
    finally:
        gc.enable()
