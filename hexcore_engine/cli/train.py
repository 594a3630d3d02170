"""`hexcore train ranker`: make the weights that ship with the package anew, from the data beside them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hexcore_engine.cli.command import CommandParser, Context
from hexcore_engine.errors import UsageError


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--output", metavar="FOLDER", help="where to write; the package's own place by default"
    )
    parser.add_argument("what", help="ranker")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Train and write weights and run card."""
    if arguments.what != "ranker":
        raise UsageError(f"There is nothing called {arguments.what!r} to train.", "Known: ranker.")
    from hexcore_engine.data.vectors import open_vectors
    from hexcore_engine.knowledge.index.ranker import FOLDER
    from hexcore_engine.training.ranker import DATA_FILE, train_ranker
    from hexcore_engine.training.run_card import save_ranker

    folder = Path(arguments.output).expanduser() if arguments.output else FOLDER
    vectors = open_vectors(context.paths, context.settings.data)
    if vectors is None:
        sys.stderr.write("trained for use without vectors alone: `hexcore data vectors` builds them\n")
    trained = train_ranker(context.paths.knowledge_dir, DATA_FILE, vectors)
    save_ranker(trained, folder)
    lines = [f"{trained.num_questions} questions; written to {folder}"]
    for way, scores in trained.scores.items():
        figures = "  ".join(f"@{limit} {value:.3f}" for limit, value in scores.items())
        lines.append(f"{way.replace('_', ' ')}: cross-validated recall {figures}")
    document = {"folder": str(folder), "cross_validated_recall": trained.scores}
    context.output.result(document | {"questions": trained.num_questions}, "\n".join(lines))
    return 0
