"""`hexcore setup`: fetch the embedded data and build the knowledge file."""

from __future__ import annotations

import argparse

from hexcore_engine.cli.command import CommandParser, Context
from hexcore_engine.data.progress import BarProgress
from hexcore_engine.data.setup import NO_RULES_FILE, run_setup, setup_text
from hexcore_engine.paths import named_path
from hexcore_engine.protocol.records import to_builtins


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--rules", metavar="FILE", help="an official rules text file, or `none` to look for none"
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Set up; 0 when all is there, 3 when something is still missing. JSON has the first error in front."""
    skip = arguments.rules == NO_RULES_FILE
    file = named_path(arguments.rules) if arguments.rules and not skip else None
    report = run_setup(
        context.paths, context.settings, rules_file=file, skip_rules=skip, progress=BarProgress()
    )
    document = {**to_builtins(report), "complete": report.complete}
    failed = [item.error for item in report.items if item.error]
    if failed and not report.complete:
        document["error"] = to_builtins(failed[0])
    context.output.result(document, setup_text(report))
    return 0 if report.complete else 3
