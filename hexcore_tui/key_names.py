"""Keys as people write them."""

from __future__ import annotations

KEY_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "Esc",
    "enter": "Enter",
    "tab": "Tab",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
}


def key_text(key: str) -> str:
    """Return a key as people write it: `ctrl+p` is ^P, `f1` is F1."""
    *modifiers, last = key.split("+")
    name = KEY_NAMES.get(last) or (last.upper() if modifiers == ["ctrl"] or last[:1] == "f" else last)
    if modifiers == ["ctrl"]:
        return f"^{name}"
    return "+".join([*(modifier.capitalize() for modifier in modifiers), name])


def keys_text(keys: str) -> str:
    """Return all keys of an action as people write them."""
    return " or ".join(key_text(key) for key in keys.split(",") if key)
