"""What the commands that show rules share: choosing a release, and warning when it is old."""

from __future__ import annotations

from hexcore_engine.cli.command import CommandParser, Context
from hexcore_engine.data.sources_in_use import find_release
from hexcore_engine.errors import KnowledgeMissingError
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.store.pointer import Pointer, read_pointer


def add_release_option(parser: CommandParser) -> None:
    """Add `--release`."""
    parser.add_argument(
        "--release", metavar="DATE", help="look into this loaded release, e.g. 2022-11-18 (the one in use)"
    )


def open_knowledge(context: Context, release: str | None) -> Knowledge:
    """Open the knowledge files with the release a person named, else with the one in use.

    Raises:
        KnowledgeMissingError: naming the releases loaded, when there is no such one; when there are no rules
            at all, not even in our words.
    """
    folder = context.paths.knowledge_dir
    if release is None:
        return _with_rules(Knowledge(folder))
    pointer = read_pointer(folder) or Pointer(generation=0)
    return Knowledge(folder, find_release(pointer, release).key)


def _with_rules(knowledge: Knowledge) -> Knowledge:
    if knowledge.release() is None:
        knowledge.close()
        raise KnowledgeMissingError(
            "No rules are loaded, not even in our own words.",
            "Run `hexcore setup`, or `hexcore data import FILE` with the official rules as a text file.",
        )
    return knowledge
