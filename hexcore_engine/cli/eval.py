"""`hexcore eval FILE.jsonl`: how many of the deciding rules are found for questions whose rules are known."""

from __future__ import annotations

import argparse
from pathlib import Path

from hexcore_engine.cli.command import CommandParser, Context
from hexcore_engine.errors import NotSetUpError
from hexcore_engine.evaluation.questions import read_questions
from hexcore_engine.evaluation.retrieval import RetrievalReport, evaluate
from hexcore_engine.knowledge.retriever import HybridRetriever
from hexcore_engine.protocol.records import to_builtins


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument("--ablate", action="store_true", help="turn each part of retrieval off in turn")
    parser.add_argument("file", help='JSON Lines, an object a line: {"question", "rules", "cards", "topic"}')


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Ask every question of the file and print the figures."""
    questions = read_questions(Path(arguments.file).expanduser())
    folder = context.paths.knowledge_dir
    report = evaluate(HybridRetriever(folder), questions)
    if not any(report.recall.values()) and not HybridRetriever(folder).ranked_rules("rule", 1):
        raise NotSetUpError("There are no rules to retrieve from.")
    document = to_builtins(report)
    lines = [_lines(report)]
    if arguments.ablate:
        document["ablations"] = {}
        for part in HybridRetriever.PARTS:
            without = evaluate(HybridRetriever(folder, without=frozenset((part,))), questions)
            document["ablations"][part] = {"recall": without.recall, "mrr": without.mrr}
            lines.append(f"without {part:<10} " + _recall(without))
    context.output.result(document, "\n".join(lines))
    return 0


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
