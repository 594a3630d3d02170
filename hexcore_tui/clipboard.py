"""Copying text out of the app, and saying honestly what happened.

The terminal is asked by OSC 52, which works over SSH; whether it obeyed can't be known, so the words never
claim that it did.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from textual.app import App

from hexcore_engine.utils.validation import clean_text

# Many terminals drop longer OSC 52 sequences without a word.
LONGEST_COPY_BYTES = 74_994


def copy(app: App[object], text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Send `text` to the terminal's clipboard and return the sentence that says what was done."""
    text = clean_text(text)
    size = len(text.encode())
    if size > LONGEST_COPY_BYTES:
        return (
            f"Not copied: {size:,} bytes are more than terminals take. Use `hexcore sessions` to export it."
        )
    app.copy_to_clipboard(text)
    sent = f"{len(text):,} characters sent to the terminal's clipboard (OSC 52)"
    if environment.get("TMUX"):
        return f"{sent}; tmux passes them on when `set-clipboard` is on."
    return f"{sent}; a terminal that forbids it ignores them."
