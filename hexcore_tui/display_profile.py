"""How much the terminal can take: a local one, one at the far end of SSH, or a plain one.

`TEXTUAL_FPS` and smooth scrolling are read when Textual is imported, so this module imports nothing of it
and is applied before.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Literal

ProfileName = Literal["local", "ssh", "plain"]


@dataclass(frozen=True)
class DisplayProfile:
    """What a kind of terminal is spared.

    `batch_s` is the least time between two paints of streamed text, `memory_s` that between two looks at
    memory, whatever the settings say, and `escape_ms` how long Esc waits for the rest of a key's sequence,
    which may come late over a line. Without `animate` nothing moves or blinks.
    """

    name: ProfileName
    frames_per_second: int
    batch_s: float
    animate: bool
    unicode: bool = True
    escape_ms: int = 100
    memory_s: float = 2.0


PROFILES: dict[ProfileName, DisplayProfile] = {
    "local": DisplayProfile(
        "local", frames_per_second=60, batch_s=0.08, animate=True, escape_ms=25, memory_s=0.0
    ),
    "ssh": DisplayProfile("ssh", frames_per_second=10, batch_s=0.1, animate=False),
    "plain": DisplayProfile("plain", frames_per_second=10, batch_s=0.1, animate=False, unicode=False),
}


def choose_profile(wanted: str, environment: Mapping[str, str]) -> DisplayProfile:
    """Return the profile the settings name, or the one the environment speaks of when they say `auto`."""
    if wanted in ("local", "ssh", "plain"):
        return PROFILES[wanted]  # type: ignore[index]
    if environment.get("TERM", "") in ("dumb", "linux", "vt100"):
        return PROFILES["plain"]
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return PROFILES["ssh"]
    return PROFILES["local"]


def apply_profile(profile: DisplayProfile, environment: MutableMapping[str, str]) -> None:
    """Tell Textual, which reads these names once at import; the user's own values win."""
    environment.setdefault("TEXTUAL_FPS", str(profile.frames_per_second))
    environment.setdefault("ESCDELAY", str(profile.escape_ms))
    if not profile.animate:
        environment.setdefault("TEXTUAL_ANIMATIONS", "none")
        environment.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
