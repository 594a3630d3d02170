from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of one's own that nothing was put into, and no network."""
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEXCORE_OFFLINE", "1")
    return tmp_path / "home"
