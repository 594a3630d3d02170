"""`hexcore rules WORDS`: search the rules."""

from __future__ import annotations

import argparse

from hexcore_engine.cli.command import MOST_RESULTS, CommandParser, Context, joined, whole_number
from hexcore_engine.cli.releases import add_release_option, open_knowledge
from hexcore_engine.knowledge.rules.records import RuleHit


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "-k", type=whole_number(MOST_RESULTS), default=20, metavar="N", help="at most N results (20)"
    )
    add_release_option(parser)
    parser.add_argument("words", nargs="+", help='words, a number, or "exactly these words" in quotes')


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print what was found; 1 when nothing was."""
    knowledge = open_knowledge(context, arguments.release)
    try:
        hits = knowledge.search_rules(joined(arguments.words), arguments.k)
        release = knowledge.release()
        warnings = knowledge.rules_warnings()
    finally:
        knowledge.close()
    results = [
        {"rule": hit.rule.number, "score": round(hit.score, 4), "why": hit.why, "marks": hit.marks}
        for hit in hits
    ]
    source = release.source if release else ""
    lines = [f"{hit.rule.number:<9} {marked_text(hit)}\n{'':<9} ({hit.why})" for hit in hits]
    lines.append(f"— {source}" if hits else f"Nothing found ({source}).")
    if release is not None:
        for warning in warnings:
            context.output.narrate(f"warning: {warning}")
    document = {"results": results, "release": release.effective if release else None, "source": source}
    context.output.result(document, "\n".join(lines))
    return 0 if hits else 1


def marked_text(hit: RuleHit) -> str:
    """Return the rule's text with what was found between two signs."""
    text = hit.rule.text or hit.rule.plain
    pieces = []
    last = 0
    for start, end in hit.marks:
        if start >= last:
            pieces += [text[last:start], f"«{text[start:end]}»"]
            last = end
    return "".join([*pieces, text[last:]])
