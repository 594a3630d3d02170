"""What a line starting with a slash means in the question field."""

from __future__ import annotations

from dataclasses import dataclass

from hexcore_engine.protocol.records import MODE_NAMES, ModeName

SLASH_COMMANDS: tuple[tuple[str, str], ...] = (
    ("/mode teach", "Choose a mode by its name; /mode auto lets the question decide."),
    ("/new", "Start a new conversation."),
)


@dataclass(frozen=True)
class NewSession:
    """`/new`: start a new conversation."""


@dataclass(frozen=True)
class ModeChange:
    """`/mode teach`: pin a mode, None lets each question decide. `rest` stays in the field; `problem` says
    why a name was not understood."""

    mode: ModeName | None = None
    rest: str = ""
    problem: str = ""


def read_command(text: str) -> NewSession | ModeChange | None:
    """Return the command `text` starts with, or None when it is a question."""
    words = text.split(maxsplit=2)
    if not words:
        return None
    if words[0] == "/new" and len(words) == 1:
        return NewSession()
    if words[0] == "/mode":
        return _read_mode(words[1] if len(words) > 1 else "", words[2] if len(words) > 2 else "")
    return None


def _read_mode(word: str, rest: str) -> ModeChange:
    wanted = word.upper()
    if wanted in ("AUTO", ""):
        return ModeChange(None, rest)
    for mode in MODE_NAMES:
        if mode.startswith(wanted) and len(wanted) >= 3:
            return ModeChange(mode, rest)
    import difflib

    near = difflib.get_close_matches(wanted, MODE_NAMES, n=1)
    hint = f"Did you mean {near[0].lower()}?" if near else f"Modes: {', '.join(MODE_NAMES).lower()}, auto."
    return ModeChange(problem=f"There is no mode {word!r}. {hint}")
