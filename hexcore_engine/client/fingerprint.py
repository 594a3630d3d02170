"""What tells one installation from another: the names, sizes and times of the package's files."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import hexcore_engine


@functools.cache
def package_fingerprint() -> str:
    """Return a short text that changes when the installed engine's code does; computed once a process.

    The engine computes it at its start, so that it keeps naming the code it runs after an update.
    """
    return _fingerprint_on_disk()


def is_outdated() -> bool:
    """Whether the package was changed since this process named its own."""
    return package_fingerprint() != _fingerprint_on_disk()


def _fingerprint_on_disk() -> str:
    folder = Path(hexcore_engine.__file__).parent
    digest = hashlib.sha256(hexcore_engine.__version__.encode())
    for file in sorted(folder.rglob("*.py")):
        status = file.stat()
        digest.update(f"{file.relative_to(folder)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
