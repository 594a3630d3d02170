"""`hexcore rules WORDS`: search the rules."""

from __future__ import annotations

import argparse

from hexcore_engine.cli.command import CommandParser, Context, joined
from hexcore_engine.knowledge.lookup import NO_RULES, Knowledge


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument("-k", type=int, default=20, metavar="N", help="at most N results (20)")
    parser.add_argument("words", nargs="+", help='words, a number, or "exactly these words" in quotes')


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print what was found; 1 when nothing was."""
    knowledge = Knowledge(context.paths.knowledge_dir)
    try:
        hits = knowledge.search_rules(joined(arguments.words), max(1, arguments.k))
        release = knowledge.release()
    finally:
        knowledge.close()
    results = [{"rule": hit.rule.number, "score": round(hit.score, 4), "why": hit.why} for hit in hits]
    source = release.source if release else "nothing is set up: run `hexcore setup`"
    lines = [f"{hit.rule.number:<9} {hit.rule.text or hit.rule.plain}\n{'':<9} ({hit.why})" for hit in hits]
    lines.append(f"— {source}" if hits else f"Nothing found ({source}).")
    if release is not None and not release.official:
        context.output.narrate(NO_RULES)
    document = {"results": results, "release": release.effective if release else None, "source": source}
    context.output.result(document, "\n".join(lines))
    return 0 if hits else 1
