"""Entry point of `hexcore`: finds the command, loads its file only, turns errors into words and exit codes.

Exit codes: 0 found or answered, 1 nothing found or not running, 2 wrong use, 3 not set up, 4 engine failed.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence

from hexcore_engine import FAN_CONTENT_NOTICE, __version__
from hexcore_engine.cli.command import CommandParser, Context, Output, add_json, unforeseen
from hexcore_engine.errors import HexcoreError, SettingsError, StorageError, UsageError
from hexcore_engine.paths import default_paths
from hexcore_engine.settings import Settings, load_settings
from hexcore_engine.utils.streams import take_any_bytes

# name -> what it does; the file of the same name holds it.
COMMANDS: dict[str, str] = {
    "ask": "ask a rules question; the answer streams, its rules are checked",
    "route": "say which mode a question would be answered in",
    "rule": "show one rule, what stands around it and what points to it",
    "rules": "search the rules",
    "diff": "say what changed between two releases of the rules",
    "glossary": "explain a term",
    "card": "show one card",
    "cards": "search cards",
    "data": "import, update, pin or remove rules releases and cards; say how old they are",
    "setup": "fetch the embedded data and build the knowledge file",
    "doctor": "say what works here, what does not, and the remedy",
    "models": "list models, or choose the one that answers",
    "sessions": "list, show, rename, delete or export conversations",
    "eval": "measure retrieval on questions whose deciding rules are known",
    "bench": "measure look-ups, evidence and the model on this machine",
    "train": "make the weights of the ranker or the router anew",
    "engine": "see, start, stop or restart the engine process",
}

# People are sent to these when something is wrong, which the settings may be.
WORK_WITHOUT_SETTINGS = ("doctor", "engine")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `hexcore` and return its exit code."""
    take_any_bytes()
    words = list(sys.argv[1:] if arguments is None else arguments)
    output = Output(as_json="--json" in words)
    try:
        return _run(words, output)
    except HexcoreError as error:
        output.failure(error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output left; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        told = unforeseen(error)
        output.failure(told)
        return told.exit_code


def _run(words: list[str], output: Output) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        output.result({"commands": COMMANDS}, _help())
        return 0 if words else 2
    if words[0] in ("--version", "-V"):
        output.result(*_versions())
        return 0
    if words[0] == "--about":
        about = {"about": FAN_CONTENT_NOTICE, "version": __version__}
        output.result(about, f"hexcore {__version__}\n{FAN_CONTENT_NOTICE}")
        return 0
    name = words[0]
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        remedy = f"Did you mean `hexcore {near[0]}`?" if near else "See `hexcore --help`."
        raise UsageError(f"There is no command {name!r}.", remedy)
    module = importlib.import_module(f"hexcore_engine.cli.{name}")
    parser = CommandParser(prog=f"hexcore {name}", description=COMMANDS[name])
    add_json(parser)
    module.configure(parser)
    parsed = parser.parse_words(words[1:])
    exit_code: int = module.run(parsed, _context(name, output))
    return exit_code


def _context(name: str, output: Output) -> Context:
    paths = default_paths()
    try:
        return Context(paths, load_settings(paths.settings_file), output)
    except (SettingsError, StorageError) as error:
        if name not in WORK_WITHOUT_SETTINGS:
            raise
        return Context(paths, Settings(), output, error)


def _versions() -> tuple[dict[str, str | None], str]:
    """What is in use here, as a document and in words: the program, the rules' release, the cards' date."""
    from contextlib import closing

    from hexcore_engine.knowledge.lookup import Knowledge

    effective = cards_date = None
    said = "none set up"
    try:
        with closing(Knowledge(default_paths().knowledge_dir)) as knowledge:
            status = knowledge.status()
        cards_date = status.cards_date
        effective = status.release.effective if status.release else None
        said = "no official release, our own words" if status.release else said
    except HexcoreError as error:
        said = f"unreadable, {error.message}"
    document = {"version": __version__, "rules_release": effective, "cards_date": cards_date}
    lines = (
        f"hexcore {__version__}",
        f"rules   {effective or said}",
        f"cards   {cards_date or 'none of a known date'}",
    )
    return document, "\n".join(lines)


def _help() -> str:
    lines = ["usage: hexcore COMMAND [OPTIONS] [WORDS]", ""]
    lines += [f"  {name:<10} {summary}" for name, summary in COMMANDS.items()]
    lines += ["", "`hexcore COMMAND --help` says more; `hexcore-tui` opens the app; --json works everywhere."]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
