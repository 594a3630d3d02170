"""A child that runs llama.cpp, and does not get ready."""

from __future__ import annotations

from pathlib import Path

import pytest

from hexcore_engine.errors import DecoderError
from hexcore_engine.inference.decoders import llama_cpp
from hexcore_engine.inference.decoders.llama_cpp import LlamaChild

pytestmark = pytest.mark.slow


def test_a_model_that_takes_too_long_is_ended_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llama_cpp, "READY_TIMEOUT_S", 0.05)
    file = tmp_path / "moss.gguf"
    file.touch()
    settings: dict[str, str | int] = {
        "model": str(file),
        "api_key": "k",
        "context_tokens": 512,
        "threads": 1,
        "prompt_cache_mb": 0,
    }
    with pytest.raises(DecoderError, match="had not loaded the model after 0 s"):
        LlamaChild(settings)
