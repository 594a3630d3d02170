"""Copying text out of the app, and saying honestly what happened.

The terminal is asked by OSC 52, which works over SSH; whether it obeyed can't be known, so the words never
claim that it did. What was copied can be saved to a file as well.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from textual.app import App

from hexcore_engine.utils.validation import clean_text
from hexcore_tui.actions import first_key

# Many terminals drop longer OSC 52 sequences without a word.
LONGEST_COPY_BYTES = 74_994
# The screen stands still while tmux is asked; it answers in a few milliseconds or not at all.
TMUX_TIMEOUT_S = 0.2
_copied: dict[str, str] = {}


def copy(app: App[Any], text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Send `text` to the terminal's clipboard and return the sentence that says what was done."""
    text = clean_text(text)
    if not text.strip():
        return "There is nothing to copy here yet."
    _copied["text"] = text
    save = f"{first_key('save_copy', 'everywhere')} saves it to a file."
    size = len(text.encode())
    if size > LONGEST_COPY_BYTES:
        return f"Not copied: {size:,} bytes are more than terminals take. {save}"
    # Not the app's own, which copies by way of this function.
    App.copy_to_clipboard(app, text)
    return f"{len(text):,} characters sent to the {_receiver(environment)} {save}"


def save_copy(folder: Path, now: datetime) -> str:
    """Write what was copied last into `folder` and return the sentence that says where."""
    if not _copied:
        return "Nothing was copied yet."
    file = folder / f"hexcore-{now:%Y%m%d-%H%M%S}.md"
    try:
        file.write_text(_copied["text"].rstrip() + "\n", "utf-8")
    except OSError as error:
        return f"{file} could not be written: {error.strerror}."
    return f"Saved to {file}"


def _receiver(environment: Mapping[str, str]) -> str:
    if environment.get("TMUX"):
        value = _tmux_clipboard(environment)
        if value == "on":
            return "terminal (OSC 52) by way of tmux, which passes them on."
        return f"tmux, which keeps them (set-clipboard is {value}): `tmux set -s set-clipboard on`."
    if environment.get("STY"):
        return "terminal (OSC 52), but screen does not pass them on."
    return "terminal (OSC 52); one that forbids it ignores them."


def _tmux_clipboard(environment: Mapping[str, str]) -> str:
    """Return tmux's own word for whether it passes copied text on, or "unknown"."""
    command = ["tmux", "show-options", "-sv", "set-clipboard"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TMUX_TIMEOUT_S, check=True, env=dict(environment)
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip() or "unknown"
