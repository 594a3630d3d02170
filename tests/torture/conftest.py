"""Torture tests run only when asked for: `HEXCORE_TORTURE=1` or `-m torture`."""

from __future__ import annotations

import os

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave torture out unless it is asked for."""
    if os.environ.get("HEXCORE_TORTURE") == "1" or "torture" in str(config.option.markexpr):
        return
    left_out = [item for item in items if item.get_closest_marker("torture")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
