"""`hexcore train ranker|router`: make weights that ship with the package anew, from the data beside them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hexcore_engine.cli.command import CommandParser, Context
from hexcore_engine.errors import ModelMissingError, UsageError
from hexcore_engine.paths import named_path

if TYPE_CHECKING:
    from hexcore_engine.models.embedder import SentenceEmbedder


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--output", metavar="FOLDER", help="where to write; the package's own place by default"
    )
    parser.add_argument(
        "--check", metavar="FILE", help="labelled queries the router never learns from, for its run card"
    )
    parser.add_argument("what", help="ranker or router")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Train and write weights and run card."""
    makers = {"ranker": _ranker, "router": _router}
    if arguments.what not in makers:
        raise UsageError(f"There is nothing called {arguments.what!r} to train.", "Known: ranker, router.")
    if arguments.check and arguments.what != "router":
        raise UsageError("--check is for the router.", "Use `hexcore eval FILE` for the ranker.")
    makers[arguments.what](arguments, context)
    return 0


def _ranker(arguments: argparse.Namespace, context: Context) -> None:
    from hexcore_engine.data.vectors import open_vectors
    from hexcore_engine.knowledge.index.ranker import FOLDER
    from hexcore_engine.training.ranker import DATA_FILE, train_ranker
    from hexcore_engine.training.ranker_card import save_ranker

    folder = _folder(arguments, FOLDER)
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


def _router(arguments: argparse.Namespace, context: Context) -> None:
    from hexcore_engine.data.vectors import EMBEDDER_KEY
    from hexcore_engine.models.router import FOLDER
    from hexcore_engine.training.router import ROUTER_DATA_FILE, read_queries, train_router
    from hexcore_engine.training.router_card import save_router

    unseen = read_queries(named_path(arguments.check)) if arguments.check else ()
    folder, queries = _folder(arguments, FOLDER), read_queries(ROUTER_DATA_FILE)
    embedder = _embedder(context)
    card = save_router(train_router(queries), folder, unseen=unseen)
    lines = [_router_line("light", card, arguments.check)]
    document = {"folder": str(folder), **card, "stronger": None}
    if embedder is not None:
        trained = train_router(queries, embedder.embed([query.question for query in queries]))
        vectors = embedder.embed([query.question for query in unseen])
        stronger = save_router(trained, folder, unseen=unseen, unseen_vectors=vectors, embedder=EMBEDDER_KEY)
        embedder.close()
        lines.append(_router_line("by meaning", stronger, arguments.check))
        document["stronger"] = stronger
    context.output.result(document, "\n".join([*lines, f"written to {folder}"]))


def _embedder(context: Context) -> SentenceEmbedder | None:
    """The sentence model; None where it is not at hand, which is said."""
    from hexcore_engine.data.vectors import open_embedder

    try:
        return open_embedder(context.paths)
    except ModelMissingError as error:
        sys.stderr.write(f"only the light router is trained: {error.message} {error.remedy}\n")
        return None


def _router_line(name: str, card: dict[str, Any], checked_with: str | None) -> str:
    held_out = card["cross_validated_by_group"]
    parts = [
        f"{name}: {card['num_queries']} queries",
        f"accuracy held out by group {held_out['accuracy']:.3f}",
        f"calibration error {held_out['expected_calibration_error']:.3f}",
    ]
    if card["unseen"]:
        parts.append(f"accuracy on {checked_with} {card['unseen']['accuracy']:.3f}")
    return "; ".join(parts)


def _folder(arguments: argparse.Namespace, own: Path) -> Path:
    return named_path(arguments.output) if arguments.output else own
