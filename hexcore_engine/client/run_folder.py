"""The private folder of socket and locks: made, checked, and never trusted when anyone else could write
there."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from hexcore_engine.errors import EngineUnreachableError
from hexcore_engine.paths import Paths

PRIVATE_MODE = 0o700


def ensure_run_folder(paths: Paths) -> Path:
    """Return the run folder, made with mode 0700 where absent.

    Raises:
        EngineUnreachableError: when it is a link, not a folder, someone else's, or open to others.
    """
    folder = paths.run_dir
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=PRIVATE_MODE, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise EngineUnreachableError(
            f"The engine's folder {folder} can't be made: {error.strerror}.",
            "Set HEXCORE_HOME to a folder you can write to.",
        ) from error
    found = _problem(status)
    if found:
        problem, remedy = found
        raise EngineUnreachableError(
            f"The engine's folder {folder} {problem}, so another user could pose as the engine.",
            f"{remedy} {shlex.quote(str(folder))}",
        )
    return folder


def _problem(status: os.stat_result) -> tuple[str, str] | None:
    """Return what is wrong and the remedy's command but for the folder."""
    if stat.S_ISLNK(status.st_mode):
        return "is a link", "Look where it leads, then remove it: rm"
    if not stat.S_ISDIR(status.st_mode):
        return "is not a folder", "Look at it, then remove it: rm"
    if status.st_uid != os.getuid():
        return "belongs to another user", "Have its owner remove it: rm -r"
    if stat.S_IMODE(status.st_mode) & 0o077:
        mode = f"{stat.S_IMODE(status.st_mode):o}"
        return f"is open to others (mode {mode})", "Close it to them: chmod 700"
    return None
