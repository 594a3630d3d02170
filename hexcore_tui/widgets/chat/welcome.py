"""What an empty conversation says: what to do, what is missing, and whose game this is."""

from __future__ import annotations

from textual.content import Content

from hexcore_engine import FAN_CONTENT_NOTICE
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.actions import first_key


def welcome_content(missing: tuple[str, ...]) -> Content:
    """Return the welcome; `missing` holds one line for each thing that is not there yet."""
    parts = [Content("Ask a rules question below. The rules and cards that decide it come first.")]
    parts += [Content(f"• {clean_line(line)}").stylize("$warning") for line in missing]
    if any("hexcore setup" in line for line in missing):
        palette = first_key("command_palette", "everywhere")
        parts.append(
            Content(f'{palette} and "Set up" gets it from here too, "Import" reads a file of yours.')
        )
    parts.append(Content(FAN_CONTENT_NOTICE).stylize("$text-disabled"))
    return Content("\n\n").join(parts)
