"""What an empty conversation says: what to do, what is missing, and whose game this is."""

from __future__ import annotations

from textual.content import Content

from hexcore_engine import FAN_CONTENT_NOTICE
from hexcore_engine.utils.validation import clean_line


def welcome_content(missing: tuple[str, ...]) -> Content:
    """Return the welcome; `missing` holds one line for each thing that is not there yet."""
    parts = [Content("Ask a rules question below. The rules and cards that decide it come first.")]
    parts += [Content(f"• {clean_line(line)}").stylize("$warning") for line in missing]
    parts.append(Content(FAN_CONTENT_NOTICE).stylize("$text-disabled"))
    return Content("\n\n").join(parts)
