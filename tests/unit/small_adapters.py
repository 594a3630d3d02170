"""Adapters of a few kilobytes with random weights, made in the test itself, without torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from benchmarks.random_adapters import write_random_adapter
from benchmarks.random_adapters import write_safetensors as write_safetensors
from hexcore_engine.models.adapter_files import MANIFEST_NAME, WEIGHTS_NAME


def make_adapter(folder: Path, base: Path, mode: str = "REASON", **options: Any) -> Path:
    """Write a small adapter that changes what a tiny model writes."""
    small: dict[str, Any] = {"rank": 4, "size": 0.3, "targets": ("q_proj", "v_proj")}
    return write_random_adapter(folder, base, mode, **(small | options))


def change_manifest(folder: Path, **fields: Any) -> None:
    """Change fields of a manifest, and leave the others."""
    written = json.loads((folder / MANIFEST_NAME).read_text())
    (folder / MANIFEST_NAME).write_text(json.dumps(written | fields))


def rehash(folder: Path) -> None:
    """Make the manifest fit weights that were changed."""
    digest = hashlib.sha256((folder / WEIGHTS_NAME).read_bytes()).hexdigest()
    change_manifest(folder, sha256=digest)
