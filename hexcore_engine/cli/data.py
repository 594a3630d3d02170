"""`hexcore data import|update|status|pin|rollback|remove`: where rules and cards come from, and how old they
are."""

from __future__ import annotations

import argparse
from pathlib import Path

from hexcore_engine.cli.command import CommandParser, Context
from hexcore_engine.data.imports import import_file
from hexcore_engine.data.progress import BarProgress
from hexcore_engine.errors import UsageError

ACTIONS = ("import", "update", "status", "pin", "rollback", "remove")


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument(
        "words", nargs="*", help="import FILE; pin DATE, or none; rollback cards; remove DATE"
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Do it; warnings about a file don't change the exit code."""
    if arguments.action == "import":
        return _import(arguments.words, context)
    return 0


def _import(words: list[str], context: Context) -> int:
    file = Path(_one_word(words, "import FILE")).expanduser()
    report = import_file(context.paths, file, BarProgress())
    context.output.result(report.document, report.text)
    return 0


def _one_word(words: list[str], usage: str) -> str:
    if len(words) != 1:
        raise UsageError(f"`hexcore data {usage}` takes one word.", "See `hexcore data --help`.")
    return words[0]
