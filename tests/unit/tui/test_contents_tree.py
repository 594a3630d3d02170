"""The contents of the rules ask for what is under a node once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hexcore_tui.app import HexcoreApp
from hexcore_tui.widgets.shared.knowledge_thread import KnowledgeThread


async def test_without_rules_the_contents_do_not_ask_over_and_over(
    make_app: Callable[[], HexcoreApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    call = KnowledgeThread.call

    async def counted(thread: KnowledgeThread, look_up: Any) -> Any:
        asked.append(look_up)
        return await call(thread, look_up)

    monkeypatch.setattr(KnowledgeThread, "call", counted)
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.press("f4")
        await app.workers.wait_for_complete()
        for _ in range(20):
            await pilot.pause(0.01)
        assert len(asked) < 10
