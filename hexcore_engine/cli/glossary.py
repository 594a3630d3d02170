"""`hexcore glossary TERM`: official definitions, then players' words in ours."""

from __future__ import annotations

import argparse

from hexcore_engine.cli.command import CommandParser, Context, joined
from hexcore_engine.cli.releases import add_release_option, open_knowledge
from hexcore_engine.protocol.records import to_builtins


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    add_release_option(parser)
    parser.add_argument("term", nargs="+", help="a term, official or as players say it")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the entries; 1 when there is none."""
    term = joined(arguments.term)
    knowledge = open_knowledge(context, arguments.release)
    try:
        entries = knowledge.glossary(term)
        release = knowledge.release()
        warnings = knowledge.rules_warnings()
    finally:
        knowledge.close()
    lines = []
    for entry in entries:
        label = "" if entry.official else "  (players' word, unofficial)"
        lines += [f"{entry.term}{label}", f"    {entry.text}"]
        if entry.said:
            lines.append(f"    players also say (unofficial): {'; '.join(entry.said)}")
        if entry.rules:
            lines.append(f"    see {', '.join(entry.rules)}")
    source = release.source if release else None
    text = "\n".join([*lines, f"— {source}"]) if entries else f"Nothing is known about {term!r}."
    for warning in warnings:
        context.output.narrate(f"warning: {warning}")
    context.output.result({"term": term, "entries": to_builtins(entries), "source": source}, text)
    return 0 if entries else 1
