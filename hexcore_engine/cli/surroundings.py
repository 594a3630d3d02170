"""What `hexcore doctor` sees around the program: terminal, clipboard, and the way to another machine."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping

from hexcore_engine.cli.command import Context
from hexcore_engine.protocol.records import Record
from hexcore_engine.utils.validation import clean_line

MIN_COLUMNS, MIN_LINES = 60, 20
# Long enough for ssh to log in and for an engine to start there.
FAR_ENGINE_TIMEOUT_S = 30.0


class Finding(Record, frozen=True):
    """One line: whether it is well, what was seen, and what to do."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def terminal(context: Context) -> Finding:
    """The terminal's kind and size, and whether it can write what the app shows."""
    size = shutil.get_terminal_size()
    kind = os.environ.get("TERM", "") or "unknown"
    detail = f"{clean_line(kind)}, {size.columns}x{size.lines}"
    if size.columns < MIN_COLUMNS or size.lines < MIN_LINES:
        remedy = f"The app needs {MIN_COLUMNS} columns and {MIN_LINES} lines or more."
        return Finding("terminal", False, detail, remedy)
    if kind == "dumb":
        return Finding("terminal", True, detail, "`hexcore-tui --plain` answers line by line here.")
    encoding = locale_of(os.environ)
    if encoding and "utf" not in encoding.lower():
        remedy = 'Set LANG to a UTF-8 locale, or `profile = "plain"` under [screen] in the settings.'
        return Finding("terminal", True, f"{detail}, {clean_line(encoding)}", remedy)
    return Finding("terminal", True, detail)


def locale_of(environment: Mapping[str, str]) -> str:
    """The locale that counts for characters; empty where none is set."""
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    return next((environment[name] for name in names if environment.get(name)), "")


def clipboard(context: Context) -> Finding:
    """Who takes a copied text; whether it arrives can't be known."""
    if os.environ.get("TMUX"):
        remedy = "Where copies do not arrive: `tmux set -s set-clipboard on`."
        return Finding("clipboard", True, "the terminal's (OSC 52), by way of tmux", remedy)
    if os.environ.get("STY"):
        remedy = "Use tmux, or save copies to a file with Ctrl+S in the app."
        return Finding("clipboard", True, "screen passes no copies on to the terminal", remedy)
    remedy = "" if os.environ.get("TERM", "") != "linux" else "Save copies to a file with Ctrl+S in the app."
    return Finding("clipboard", True, "the terminal's (OSC 52), where it allows that", remedy)


def ssh(context: Context) -> Finding:
    """Whether this is a line of ssh, and whether the engine of another machine answers where one is set.

    Raises:
        EngineUnreachableError: when it does not, with the remedy.
    """
    line = "over an SSH line, so updates are few and large" if os.environ.get("SSH_CONNECTION") else ""
    command = context.settings.engine.command.strip()
    if not command:
        detail = "; ".join(part for part in (line, "the engine of this machine answers") if part)
        return Finding("ssh", True, detail)
    version = asyncio.run(_far_version(context))
    detail = f"`{clean_line(command)}` leads to an engine of version {clean_line(version)}"
    return Finding("ssh", True, "; ".join(part for part in (line, detail) if part))


async def _far_version(context: Context) -> str:
    from hexcore_engine.client.client import EngineClient
    from hexcore_engine.errors import EngineUnreachableError

    connecting = EngineClient.connect(context.paths, context.settings, client_name="doctor")
    try:
        client = await asyncio.wait_for(connecting, FAR_ENGINE_TIMEOUT_S)
    except TimeoutError as error:
        raise EngineUnreachableError(
            "The engine of another machine does not answer.",
            "Try `command` of [engine] in a shell.",
        ) from error
    version = client.welcome.version
    await client.close()
    return version
