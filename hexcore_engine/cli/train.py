"""`hexcore train ranker`: make the weights that ship with the package anew, from the data beside them."""

from __future__ import annotations

import argparse
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
    document: dict[str, object] = {"folder": str(folder)}
    vectors = open_vectors(context.paths, context.settings.data)
    lines = []
    for index in (None, vectors) if vectors else (None,):
        trained = train_ranker(context.paths.knowledge_dir, DATA_FILE, index)
        save_ranker(trained, folder)
        name = "with_vectors" if index else "without_vectors"
        document[name] = {"cross_validated_recall": trained.scores, "questions": trained.num_questions}
        figures = "  ".join(f"@{limit} {value:.3f}" for limit, value in trained.scores.items())
        lines.append(
            f"{name.replace('_', ' ')}: {trained.num_questions} questions; cross-validated recall {figures}"
        )
    if vectors is None:
        lines.append("those with vectors stay as they were; `hexcore data vectors` builds what they need")
    context.output.result(document, "\n".join([*lines, f"written to {folder}"]))
    return 0
