"""`hexcore cards QUERY`: search cards with the card query language."""

from __future__ import annotations

import argparse

from hexcore_engine.cli.command import MOST_RESULTS, CommandParser, Context, joined, whole_number
from hexcore_engine.errors import KnowledgeMissingError, error_from_record
from hexcore_engine.knowledge.cards.names import FACE_SEPARATOR
from hexcore_engine.knowledge.cards.records import CardSearch
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.protocol.records import to_builtins


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "-k", type=whole_number(MOST_RESULTS), default=20, metavar="N", help="at most N results (20)"
    )
    parser.add_argument("query", nargs="+", help="words of a name, or terms such as t:elf, taken verbatim")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print what was found; 1 when nothing was.

    Raises:
        KnowledgeMissingError: when no cards are loaded.
    """
    knowledge = Knowledge(context.paths.knowledge_dir)
    try:
        if not knowledge.status().num_cards:
            raise KnowledgeMissingError("No cards are loaded.")
        found = knowledge.search_cards(joined(arguments.query), arguments.k)
        missing = {hit.name: _missing_faces(knowledge, hit.name) for hit in found.hits}
    finally:
        knowledge.close()
    document = {
        "results": [{**to_builtins(hit), "missing_faces": list(missing[hit.name])} for hit in found.hits],
        "total": found.total,
        "reading": found.reading,
        "ignored": list(found.ignored),
        "notes": list(found.notes),
        "stopped": found.stopped,
    }
    if found.error is not None:
        error = error_from_record(found.error.code, found.error.message, found.error.remedy)
        context.output.failure(error, document)
        return error.exit_code
    context.output.result(document, _text(found, missing))
    return 0 if found.hits else 1


def _missing_faces(knowledge: Knowledge, name: str) -> tuple[str, ...]:
    card = knowledge.card(name) if FACE_SEPARATOR in name else None
    return card.missing_faces if card is not None else ()


def _text(found: CardSearch, missing: dict[str, tuple[str, ...]]) -> str:
    lines = []
    for hit in found.hits:
        lines.append(f"{hit.name}  {hit.mana_cost}\n    {hit.type_line}")
        if missing[hit.name]:
            lines.append(f"    ({', '.join(missing[hit.name])}: not in the card data)")
    lines.append(f"{found.total} {'card' if found.total == 1 else 'cards'}; read as: {found.reading}")
    lines += [f"ignored, {term}" for term in found.ignored]
    return "\n".join([*lines, *found.notes])
