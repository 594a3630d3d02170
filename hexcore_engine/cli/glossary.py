"""`hexcore glossary TERM`: official definitions, then players' words in ours."""

from __future__ import annotations

import argparse
import shlex

from hexcore_engine.cli.command import CommandParser, Context, joined
from hexcore_engine.cli.releases import add_release_option, open_knowledge
from hexcore_engine.protocol.records import to_builtins


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    add_release_option(parser)
    parser.add_argument("term", nargs="+", help="a term, official or as players say it")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the entries; 1, with the nearest terms, when there is none."""
    term = joined(arguments.term)
    knowledge = open_knowledge(context, arguments.release)
    try:
        entries = knowledge.glossary(term)
        nearest = () if entries else knowledge.nearest_terms(term)
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
    text = "\n".join([*lines, f"— {source}"]) if entries else _unknown(term, nearest)
    for warning in warnings:
        context.output.narrate(f"warning: {warning}")
    document = {"term": term, "entries": to_builtins(entries), "nearest": nearest, "source": source}
    context.output.result(document, text)
    return 0 if entries else 1


def _unknown(term: str, nearest: tuple[str, ...]) -> str:
    meant = f" Did you mean {', '.join(nearest)}?" if nearest else ""
    return (
        f"The glossary has no {term!r}.{meant} All rules are searched by: hexcore rules {shlex.quote(term)}"
    )
