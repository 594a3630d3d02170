"""`hexcore eval FILE.jsonl`: how many of the deciding rules are found for questions whose rules are known."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from hexcore_engine.cli.command import CommandParser, Context
from hexcore_engine.errors import NotSetUpError, UsageError
from hexcore_engine.evaluation.questions import EvaluationQuestion, read_questions
from hexcore_engine.evaluation.retrieval import RetrievalReport, evaluate, evaluate_examples
from hexcore_engine.knowledge.index.base import VectorIndex
from hexcore_engine.knowledge.retriever import HybridRetriever
from hexcore_engine.paths import named_path
from hexcore_engine.protocol.records import to_builtins


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument("--ablate", action="store_true", help="turn each part of retrieval off in turn")
    parser.add_argument(
        "--examples",
        action="store_true",
        help="ask with the rules' own examples, each taken out of the index while it is asked",
    )
    parser.add_argument(
        "file", nargs="?", help='JSON Lines, an object a line: {"question", "rules", "cards", "topic"}'
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Ask every question of the file, or every example, and print the figures."""
    if arguments.examples == bool(arguments.file):
        raise UsageError("Name a file of questions, or --examples.", "See `hexcore eval --help`.")
    questions = read_questions(named_path(arguments.file), _left_out(context)) if arguments.file else ()
    folder = context.paths.knowledge_dir
    vectors = _vectors(context)
    report = _measure(folder, questions, vectors)
    document = to_builtins(report)
    lines = [_lines(report)]
    if arguments.ablate:
        document["ablations"] = {}
        for part in HybridRetriever.PARTS:
            without = _measure(folder, questions, vectors, part)
            document["ablations"][part] = {"recall": without.recall, "mrr": without.mrr}
            lines.append(f"without {part:<10} " + _recall(without))
    context.output.result(document, "\n".join(lines))
    return 0


def _left_out(context: Context) -> Callable[[int], None]:
    def tell(number: int) -> None:
        lines = "1 question without rules is" if number == 1 else f"{number:,} questions without rules are"
        context.output.narrate(f"{lines} left out: nothing says what should be found for them")

    return tell


def _vectors(context: Context) -> VectorIndex | None:
    """The vectors, read here and now; where there are none the figures are of what is there."""
    # Costs the start-up time of torch where it is installed.
    from hexcore_engine.data.vectors import describe, open_vectors

    found = open_vectors(context.paths, context.settings.data)
    if found is None:
        state = describe(context.paths, context.settings.data)
        sys.stderr.write(f"measured without vectors: {state.detail.rstrip('.')}. {state.remedy}\n")
    return found


def _measure(
    folder: Path,
    questions: Sequence[EvaluationQuestion],
    vectors: VectorIndex | None,
    without: str | None = None,
) -> RetrievalReport:
    """Ask the questions, or the examples where there are none.

    Raises:
        NotSetUpError: when there is nothing to find or no example to ask with.
    """
    retriever = HybridRetriever(folder, vectors, without=(without,) if without else ())
    try:
        if retriever.prepare("") is None:
            raise NotSetUpError("There are no rules to retrieve from.")
        report = evaluate(retriever, questions) if questions else evaluate_examples(retriever)
    finally:
        retriever.close()
    if report is None:
        raise NotSetUpError("The rules loaded have no examples: they need an official rules file.")
    return report


def _lines(report: RetrievalReport) -> str:
    linking = report.card_linking_recall
    lines = [
        f"{report.questions} questions  {_recall(report)}  mrr {report.mrr:.3f}",
        f"time p50 {report.latency_ms['p50']:.0f} ms, p99 {report.latency_ms['p99']:.0f} ms",
        f"cards recognised {linking:.3f}" if linking is not None else "no question names a card",
    ]
    lines += [f"  {topic:<24}{value:.2f}" for topic, value in report.by_topic.items()]
    return "\n".join(lines)


def _recall(report: RetrievalReport) -> str:
    return "  ".join(f"@{limit} {value:.3f}" for limit, value in report.recall.items())
