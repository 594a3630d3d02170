"""`hexcore route TEXT|-`: the mode a question would be answered in, and how sure that is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Any

from hexcore_engine.cli.command import CommandParser, Context, joined
from hexcore_engine.models.router import TransactionClassifier
from hexcore_engine.protocol.limits import check_question
from hexcore_engine.protocol.records import ModeChoice, to_builtins
from hexcore_engine.utils.validation import clean_line


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument("text", nargs="*", help="the question; `-` reads one a line from stdin")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Judge one question, or each line of stdin in order; 0 also where it is unsure."""
    text = joined(arguments.text)
    classifier = TransactionClassifier()
    if text == "-":
        _judge_lines(sys.stdin, classifier, context)
        return 0
    check_question(text)
    choice = classifier.classify(text)
    context.output.result(choice_document(choice), choice_text(choice))
    return 0


def _judge_lines(lines: Iterable[str], classifier: TransactionClassifier, context: Context) -> None:
    for line in lines:
        question = joined([line.rstrip("\r\n")])
        choice = classifier.classify(question)
        best = f"{'unsure ' if choice.abstained else ''}{choice.mode} {choice.confidence:.0%}"
        context.output.result(choice_document(choice), f"{best}\t{clean_line(question)}")


def choice_document(choice: ModeChoice) -> dict[str, Any]:
    """Return the JSON form."""
    return {
        "mode": choice.mode,
        "confidence": choice.confidence,
        "abstained": choice.abstained,
        "ranked": to_builtins(choice.ranked),
    }


def choice_text(choice: ModeChoice) -> str:
    """Return the form for people: the mode, what else it could be, and why it is unsure."""
    best, second, *_ = choice.ranked
    others = ", ".join(f"{entry.mode} {entry.probability:.0%}" for entry in choice.ranked[1:])
    lines = [f"{best.mode}  {best.probability:.0%}", f"else: {others}"]
    if choice.abstained:
        close = f"{best.mode} and {second.mode} are both possible"
        lines.append(f"Unsure: {close}; `hexcore ask --mode {best.mode.lower()}` settles it.")
    return "\n".join(lines)
